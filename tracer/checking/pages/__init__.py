"""Reports as pages: what a command, a test, a prompt and a notebook print of them."""
