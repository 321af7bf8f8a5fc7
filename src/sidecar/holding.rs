//! How long main is held. What is not ready by then goes on getting ready beside a main that
//! runs; or the step fails, where that was asked for. Nobody waits for ever.

use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::sleep;

use super::failed::{Failed, NotReady};
use super::settings::{Form, IfNotReady};
use super::starting::Start;
use super::status::Status;
use super::surroundings::Surroundings;

/// Starts, and holds main meanwhile, for as long as that may take.
pub(super) async fn held<'a>(
    here: &'a Surroundings<'a>,
    starting: impl Future<Output = Start<'a>>,
) -> Start<'a> {
    // The plain form cannot hold anybody.
    if here.form(None) == Form::Plain {
        return starting.await;
    }
    match here.settings.if_not_ready {
        IfNotReady::Run => tokio::select! {
            biased;
            start = starting => start,
            never = let_go(here) => match never {},
        },
        IfNotReady::Fail => tokio::select! {
            biased;
            start = starting => start,
            why = over(here) => Start::Failed(Failed { here, form: Form::Native, why, told: None }),
        },
    }
}

/// Lets main go when it has been held for long enough, and says so.
async fn let_go(here: &Surroundings<'_>) -> Infallible {
    let why = over(here).await;
    why.log("main was held for long enough, and starts");
    here.metrics.set_not_ready();
    here.tell(&Status::Unready { reason: why.reason.clone(), remedy: Some(why.remedy.clone()) });
    here.show(&why.notice(), None).await;
    pending().await
}

/// Returns when main has been held for long enough; never once it has ended.
async fn over(here: &Surroundings<'_>) -> NotReady {
    let longest = here.settings.ready_timeout;
    tokio::select! {
        _ = here.told() => pending().await,
        () = sleep(longest) => {}
    }
    NotReady::held(
        format!("not all was ready within {}: {} was still waited for", short(longest), here.waits_for()),
        "see the container's log for what does not answer; --ready-timeout says how long main is held".into(),
    )
}

fn short(time: Duration) -> String {
    SignedDuration::try_from(time)
        .map_or_else(|_| format!("{} s", time.as_secs()), |time| format!("{time:#}"))
}
