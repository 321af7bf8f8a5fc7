# A copy of the folder.
cp -r "$ROOT/workflow-templates" .
cd workflow-templates
