//! Requests for an object that is encrypted with a customer's key (SSE-C): each brings it, in
//! three headers.

use aws_sdk_s3::operation::get_object::builders::GetObjectFluentBuilder;
use aws_sdk_s3::operation::head_object::builders::HeadObjectFluentBuilder;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;

use super::encryption::CustomerKey;

/// The one algorithm that there is for a customer's key.
const ALGORITHM: &str = "AES256";

/// A request that can bring a customer's key.
pub(super) trait Keyed {
    /// The same request, which brings this key, if there is one.
    fn with_customer_key(self, key: Option<CustomerKey>) -> Self;
}

/// The SDK's builders have the same methods, and no trait for them.
macro_rules! keyed {
    ($($request:ty),*) => {$(
        impl Keyed for $request {
            fn with_customer_key(self, key: Option<CustomerKey>) -> Self {
                let Some(CustomerKey { key, md5 }) = key else { return self };
                self.sse_customer_algorithm(ALGORITHM).sse_customer_key(key.as_str()).sse_customer_key_md5(md5)
            }
        }
    )*};
}

keyed!(GetObjectFluentBuilder, HeadObjectFluentBuilder, PutObjectFluentBuilder);
