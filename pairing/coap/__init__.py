"""CoAP messages and exchanges, as Thread uses them: small payloads, no blocks, no observation, no proxy."""
