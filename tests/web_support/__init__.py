"""What the tests of the web server share: a process of it, and a stand-in for the CDC."""
