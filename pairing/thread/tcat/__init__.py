"""TCAT, Thread commissioning over authenticated TLS on Bluetooth LE: adverts, TLVs, authorization, both roles."""
