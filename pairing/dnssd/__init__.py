"""DNS-based service discovery (RFC 6763): TXT records as bytes, and the multicast engines beside them."""
