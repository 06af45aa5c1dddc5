"""The demo: real photos found on this machine or in its Debian packages, an album of them, five questions."""
