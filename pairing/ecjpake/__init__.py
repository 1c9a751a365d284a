"""EC-JPAKE: two sides that know one password come to one secret, proving knowledge of their scalars on the way."""
