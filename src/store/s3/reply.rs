//! What S3 or STS said, and what it means to the port: S3's codes, and the variables that
//! whoever set them up would have to change.

use std::fmt;

use argo_attest_core::relpath::printable;

use crate::store::{Denial, Operation, Refusal};

/// What a server said: status, code and the id its operator can look for in its logs.
/// Everything in it came from elsewhere and is made printable.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// S3's error code, such as `AccessDenied`. A reply to HEAD has none.
    pub code: Option<String>,
    /// The server's sentence, cut to 200 characters.
    pub message: Option<String>,
    /// `x-amz-request-id`.
    pub request_id: Option<String>,
    /// `x-amz-bucket-region`, on a reply that says "not this region".
    pub region: Option<String>,
}

impl Reply {
    /// Status, code and message, without the id.
    fn sentence(&self) -> String {
        let mut said = self.status.to_string();
        for (between, part) in [(" ", &self.code), (": ", &self.message)] {
            if let Some(part) = part {
                said.push_str(between);
                said.push_str(part);
            }
        }
        said
    }

    /// On what grounds it denies, if it does.
    pub(super) fn denial(&self) -> Denial {
        match self.code.as_deref() {
            // S3 denies, too, what is not there to those who may not list the bucket.
            Some("AccessDenied") => Denial::Permission,
            Some(
                "SignatureDoesNotMatch"
                | "InvalidAccessKeyId"
                | "ExpiredToken"
                | "InvalidToken"
                | "RequestTimeTooSkewed"
                | "XAdminUserNotFound",
            ) => Denial::Identity,
            _ => Denial::Unsaid,
        }
    }

    /// As a no to `operation` on `uri` that denies it.
    pub(super) fn denied(self, operation: Operation, uri: &str) -> Refusal {
        let remedy = match self.code.as_deref() {
            Some("SignatureDoesNotMatch") => "check AWS_SECRET_ACCESS_KEY".to_owned(),
            Some("InvalidAccessKeyId") => {
                "check AWS_ACCESS_KEY_ID, and that the endpoint is the right one".to_owned()
            }
            Some("ExpiredToken" | "InvalidToken") => "renew the session's credentials".to_owned(),
            Some("RequestTimeTooSkewed") => "correct this machine's clock".to_owned(),
            _ => format!(
                "grant {} on {uri} (without s3:ListBucket, S3 answers so for an object that is missing)",
                permission(operation)
            ),
        };
        self.refusal(operation, remedy)
    }

    /// As a no to `operation` that stays, whoever asks.
    pub(super) fn rejected(self, operation: Operation) -> Refusal {
        let remedy = match (&self.region, self.status) {
            (Some(region), _) => format!("set AWS_REGION={region}"),
            (None, 300..400) => {
                "set AWS_ENDPOINT_URL_S3 to the address it points to, if you trust that".to_owned()
            }
            _ => "check the endpoint, the region (AWS_REGION) and the bucket's rules".to_owned(),
        };
        self.refusal(operation, remedy)
    }

    fn refusal(self, operation: Operation, remedy: String) -> Refusal {
        Refusal {
            operation,
            permission: Some(permission(operation)),
            said: self.sentence(),
            id: self.request_id,
            remedy: Some(remedy),
        }
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence())?;
        match &self.request_id {
            Some(id) => write!(f, " (request id {id})"),
            None => Ok(()),
        }
    }
}

/// The action that a policy of AWS's allows it by.
fn permission(operation: Operation) -> &'static str {
    match operation {
        Operation::Read | Operation::Look => "s3:GetObject",
        Operation::List => "s3:ListBucket",
        Operation::Write => "s3:PutObject",
        Operation::SignIn => "sts:AssumeRoleWithWebIdentity",
    }
}

/// Foreign text made printable and no longer than a line.
pub(super) fn foreign(text: &str) -> String {
    const LIMIT: usize = 200;
    let shown = printable(text.as_bytes());
    match shown.char_indices().nth(LIMIT) {
        Some((end, _)) => format!("{}…", shown.get(..end).unwrap_or_default()),
        None => shown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_one_printable_line() {
        let reply = Reply {
            status: 403,
            code: Some(foreign("AccessDenied")),
            message: Some(foreign("no\n\x1b[31mway")),
            request_id: Some(foreign("4442587FB7D0A2F9")),
            region: None,
        };
        let line = "403 AccessDenied: no%0A%1B[31mway (request id 4442587FB7D0A2F9)";
        assert_eq!(reply.to_string(), line);
        assert_eq!(reply.denied(Operation::Read, "s3://b/k").to_string(), line);
        assert_eq!(foreign(&"é".repeat(500)).chars().count(), 201);
    }

    #[test]
    fn remedies_name_what_to_set() {
        let said = |status, code: &str| Reply { status, code: Some(code.to_owned()), ..Reply::default() };
        let denied = |code| said(403, code).denied(Operation::Look, "s3://b/k").remedy.unwrap();
        assert!(denied("AccessDenied").starts_with("grant s3:GetObject on s3://b/k"));
        assert_eq!(denied("SignatureDoesNotMatch"), "check AWS_SECRET_ACCESS_KEY");
        let moved = Reply { status: 301, region: Some("eu-west-1".to_owned()), ..Reply::default() };
        assert_eq!(moved.rejected(Operation::Write).remedy.unwrap(), "set AWS_REGION=eu-west-1");
        let elsewhere = Reply { status: 302, ..Reply::default() };
        assert!(elsewhere.rejected(Operation::Write).remedy.unwrap().contains("AWS_ENDPOINT_URL_S3"));
    }

    #[test]
    fn a_denial_says_what_the_code_says() {
        for (code, denial) in [
            (Some("AccessDenied"), Denial::Permission),
            (Some("InvalidAccessKeyId"), Denial::Identity),
            (Some("AllAccessDisabled"), Denial::Unsaid),
            (None, Denial::Unsaid),
        ] {
            let reply = Reply { status: 403, code: code.map(str::to_owned), ..Reply::default() };
            assert_eq!(reply.denial(), denial, "{code:?}");
        }
    }
}
