# Read before a page's commands are typed, and before what the page takes for granted, which is the
# file beside this one that is named as the page. Both are run in a home directory that is empty but
# for what they make, and only they know these variables: ROOT is the checkout, BUCKETS has a folder
# for each bucket of the server at S3_ENDPOINT.

# Programs that a reader of the page has. Where one is missing the page is not tried.
needs() {
    for program in "$@"; do
        command -v "$program" >/dev/null || { echo "$program" >&2; exit 77; }
    done
}

# That files differ is what one wants to see.
diff() { command diff "$@" || test $? = 1; }

# The variables by which a reader's programs reach a store with these buckets.
store() {
    export AWS_ENDPOINT_URL_S3=$S3_ENDPOINT AWS_REGION=us-east-1
    export AWS_ACCESS_KEY_ID=$S3_ACCESS_KEY AWS_SECRET_ACCESS_KEY=$S3_SECRET_KEY
    for bucket in "$@"; do mkdir "$BUCKETS/$bucket"; done
}
