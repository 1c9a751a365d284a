"""Virtual accessories: one file a kind."""
