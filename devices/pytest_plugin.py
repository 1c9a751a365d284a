"""The pytest plugin: homes for tests."""
