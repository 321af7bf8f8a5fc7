"""What audits are shown on: workflows of every shape, run by Argo, with gaps planted in what they left."""
