"""What the scenarios stand on: the cluster, the store, the steps, the verdicts."""
