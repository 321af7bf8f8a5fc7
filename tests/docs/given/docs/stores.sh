# A profile that AWS's tools know how to sign in with.
needs aws
mkdir .aws
printf '[dev]\naws_access_key_id = x\naws_secret_access_key = y\n' > .aws/credentials
