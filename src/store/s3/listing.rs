//! What a bucket holds: `ListObjectsV2`, page by page.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::types::{EncodingType, Object};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;

use super::client::Client;
use super::fault::Fault;
use crate::store::listing::PageSource;
use crate::store::{Listed, ObjectKey, Operation, StoreError};

/// Where a listing is.
enum At {
    Beginning,
    After(String),
    End,
}

/// The objects whose keys, less the store's own prefix, begin with a text.
pub(super) struct Pages {
    client: Arc<Client>,
    uri: String,
    /// What the bucket is asked for, and what of it is the store's own.
    prefix: String,
    own: usize,
    at: At,
    /// Pages in a row that had nothing.
    empty: usize,
}

/// More pages in a row without an object are no listing that comes to an end.
const MAX_EMPTY: usize = 1000;

impl Pages {
    pub(super) fn new(client: Arc<Client>, prefix: &str) -> Self {
        let bucket = client.bucket().to_owned();
        let own = client.config.prefix.as_ref().map(|own| format!("{}/", own.as_str().trim_end_matches('/')));
        let own = own.unwrap_or_default();
        let prefix = format!("{own}{prefix}");
        let uri = format!("s3://{bucket}/{}", argo_attest_core::relpath::printable(prefix.as_bytes()));
        Self { client, uri, own: own.len(), prefix, at: At::Beginning, empty: 0 }
    }

    async fn page_once(&self, after: Option<&str>) -> Result<(Vec<Listed>, At), Fault> {
        let request = self
            .client
            .s3()
            .list_objects_v2()
            .bucket(self.client.bucket())
            .prefix(&self.prefix)
            // Keys may hold what XML cannot.
            .encoding_type(EncodingType::Url)
            .max_keys(self.client.config.limits.page.into())
            .set_continuation_token(after.map(str::to_owned));
        let reply =
            Box::pin(async { request.send().await.map_err(|error| Fault::from_sdk(error, Operation::List)) });
        let output = self.client.answer(0, reply).await?;
        if output.contents().is_empty() && self.empty >= MAX_EMPTY {
            return Err(Fault::Odd("the store's listing does not come to an end"));
        }
        Ok((self.objects(&output)?, next(&output, after)?))
    }

    fn objects(&self, output: &ListObjectsV2Output) -> Result<Vec<Listed>, Fault> {
        if output.contents().len() > self.client.config.limits.page.into() {
            return Err(Fault::Odd("the store listed more objects at a time than it was asked for"));
        }
        let encoded = output.encoding_type() == Some(&EncodingType::Url);
        let listed = output.contents().iter().map(|object| self.listed(object, encoded));
        listed.filter_map(Result::transpose).collect()
    }

    /// The object; none if it is only the prefix itself, which consoles make to show a folder.
    fn listed(&self, object: &Object, encoded: bool) -> Result<Option<Listed>, Fault> {
        let key = object.key().ok_or(Fault::Odd("the store listed an object without a key"))?;
        let key = if encoded { decoded(key)? } else { key.to_owned() };
        if !key.starts_with(&self.prefix) {
            return Err(Fault::Odd("the store listed an object that is not under the prefix"));
        }
        let Some(key) = key.get(self.own..).filter(|key| !key.is_empty()) else { return Ok(None) };
        let key = ObjectKey::new(key).map_err(|_| Fault::Odd("the store listed a key that is none"))?;
        let size = object.size().and_then(|size| u64::try_from(size).ok());
        let size = size.ok_or(Fault::Odd("the store listed an object without a length"))?;
        let modified = object.last_modified().and_then(|time| Timestamp::from_second(time.secs()).ok());
        Ok(Some(Listed { key, size, md5: object.e_tag().and_then(md5), modified }))
    }
}

/// As `encoding-type=url` writes a key: `%XX`, and `+` for a space.
fn decoded(key: &str) -> Result<String, Fault> {
    let spaced = key.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    decoded.map(Into::into).map_err(|_| Fault::Odd("the store listed a key that is not UTF-8"))
}

/// What an `ETag` is of an object that was written in one piece and whose key is the store's own
/// (S3's API reference, `Object`). That of parts has a `-` in it, with another key it is random.
fn md5(etag: &str) -> Option<[u8; 16]> {
    let hex = etag.strip_prefix('"')?.strip_suffix('"')?.as_bytes();
    let (pairs, []) = hex.as_chunks::<2>() else { return None };
    let digit = |byte: u8| u8::try_from(char::from(byte).to_digit(16)?).ok();
    let bytes: Option<Vec<u8>> =
        pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect();
    bytes?.try_into().ok()
}

/// Where the next page begins. A store that leads back to where this one began would be
/// asked for ever.
fn next(output: &ListObjectsV2Output, after: Option<&str>) -> Result<At, Fault> {
    match (output.is_truncated() == Some(true), output.next_continuation_token()) {
        (false, _) => Ok(At::End),
        (true, Some(token)) if Some(token) != after && !token.is_empty() => Ok(At::After(token.to_owned())),
        (true, _) => Err(Fault::Odd("the store did not say where its listing goes on")),
    }
}

#[async_trait]
impl PageSource for Pages {
    async fn next_page(&mut self) -> Result<Option<Vec<Listed>>, StoreError> {
        let after = match &self.at {
            At::Beginning => None,
            At::After(token) => Some(token.as_str()),
            At::End => return Ok(None),
        };
        let page = self.client.run(&self.uri, || self.page_once(after)).await;
        match page.map_err(|gave_up| gave_up.fault.into_error(self.uri.clone(), gave_up.attempts)) {
            Ok((objects, at)) => {
                self.at = at;
                self.empty = if objects.is_empty() { self.empty.saturating_add(1) } else { 0 };
                Ok(Some(objects))
            }
            // The bucket is made by whoever stores something first.
            Err(StoreError::NoBucket { .. }) if self.client.config.creates_bucket => Ok(None),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_a_key_as_it_was_written() {
        assert_eq!(decoded("a%2Bb+c%0A/%C3%A9").unwrap(), "a+b c\n/é");
        decoded("%ff").unwrap_err();
    }

    #[test]
    fn only_an_etag_of_one_piece_can_be_an_md5() {
        let empty = "\"d41d8cd98f00b204e9800998ecf8427e\"";
        assert_eq!(md5(empty).unwrap()[..3], [0xd4, 0x1d, 0x8c]);
        let bare = empty.trim_matches('"');
        for odd in
            ["", "\"", "\"\"", bare, &format!("\"{bare}-2\""), &format!("\"+{}\"", &bare[1..]), "\"é\""]
        {
            assert_eq!(md5(odd), None, "{odd}");
        }
    }

    #[test]
    fn does_not_go_round_in_a_circle() {
        let page = |truncated: bool, token: Option<&str>| {
            let output = ListObjectsV2Output::builder().is_truncated(truncated);
            output.set_next_continuation_token(token.map(str::to_owned)).build()
        };
        assert!(matches!(next(&page(false, Some("t")), None), Ok(At::End)));
        assert!(matches!(next(&page(true, Some("t")), None), Ok(At::After(token)) if token == "t"));
        for odd in [page(true, Some("t")), page(true, Some("")), page(true, None)] {
            assert!(matches!(next(&odd, Some("t")), Err(Fault::Odd(_))));
        }
    }
}
