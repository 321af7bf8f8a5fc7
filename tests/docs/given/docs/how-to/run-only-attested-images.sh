cp "$ROOT/tests/cli/inject.in/workflow.yaml" .
