"""What the tests of the CDC against real servers share."""
