"""Faults on purpose, at random, for as long as told; and what must hold all the while."""
