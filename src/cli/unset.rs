//! Variables that are set to nothing: to a person who writes a pod's spec, that is not set at
//! all. Where a field of the pod or a parameter of a chart is empty, so is the variable.

use argo_attest_core::contract::variable;
use clap::Arg;
use clap::builder::Resettable;

/// Those of which that there is nothing is what they say.
const SAY_NOTHING: [&str; 4] = [
    variable::ASKED_ATTEST,
    variable::ASKED_VERIFY_INPUTS,
    variable::ASKED_VERIFY_IMAGES,
    variable::POD_SPEC,
];

/// The same option, without a variable that is set to nothing.
pub(super) fn without_empty(arg: Arg) -> Arg {
    let is_empty = arg.get_env().is_some_and(|name| {
        SAY_NOTHING.iter().all(|says| name != *says)
            && std::env::var_os(name).is_some_and(|value| value.is_empty())
    });
    if is_empty { arg.env(Resettable::Reset) } else { arg }
}
