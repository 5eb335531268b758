"""The benchmark harness: the same jobs natively, in Stockade's sandbox and in its peers."""
