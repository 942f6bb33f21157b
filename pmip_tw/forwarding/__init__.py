"""The packet plane's providers."""
