"""What operators ask of a pipeline from the command line; the running reader is asked through MongoDB."""
