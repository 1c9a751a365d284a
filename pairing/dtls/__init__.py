"""DTLS 1.2 with the one cipher suite that Thread commissioning uses, TLS_ECJPAKE_WITH_AES_128_CCM_8."""
