"""Controllers: the other side of a pairing, as a phone or a commissioner app would act."""
