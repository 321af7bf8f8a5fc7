//! Input parameters: the value that Argo puts in place of
//! `{{inputs.parameters}}`, since `ARGO_TEMPLATE` is without them.

use serde::Deserialize;

use super::bounded::List;
use super::encoder;

/// The most that is read, in bytes: an environment variable is not longer.
const LIMIT: usize = 128 * 1024;

/// The step's input parameters, in the template's order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parameters(pub Vec<Parameter>);

/// One input parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its value, or the default if it has none.
    pub value: Option<String>,
}

/// Why input parameters could not be read. Says nothing of their values.
#[derive(Debug, thiserror::Error)]
pub enum ParametersError {
    /// Too long.
    #[error("the input parameters have more than {LIMIT} bytes")]
    TooLarge,
    /// Left as the variable's name, or another one.
    #[error("the input parameters are an unresolved variable")]
    Unresolved,
    /// Not what Argo writes, or more parameters than are read.
    #[error("the input parameters are not a list of parameters as Argo writes it")]
    Foreign,
}

#[derive(Deserialize)]
struct Wire {
    name: String,
    #[serde(default)]
    value: Option<String>,
    #[serde(default)]
    default: Option<String>,
}

impl Parameters {
    /// Reads the JSON list, or the word `null` of a template that has none.
    pub fn parse(text: &str) -> Result<Self, ParametersError> {
        if text.len() > LIMIT {
            return Err(ParametersError::TooLarge);
        }
        if text.trim_start().starts_with("{{") {
            return Err(ParametersError::Unresolved);
        }
        // What the reader found may quote a value.
        encoder::parameters(text).map_err(|_| ParametersError::Foreign)?;
        let list: Option<List<Wire, 10_000>> =
            serde_json::from_str(text).map_err(|_| ParametersError::Foreign)?;
        let parameter = |Wire { name, value, default }| Parameter { name, value: value.or(default) };
        Ok(Self(list.unwrap_or_default().0.into_iter().map(parameter).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_argo_writes() {
        let text = r#"[{"name":"a","value":"1"},{"name":"b","default":"x","enum":["x"]},{"name":"c"}]"#;
        let read: Vec<_> =
            Parameters::parse(text).unwrap().0.into_iter().map(|p| (p.name, p.value)).collect();
        let some = |text: &str| Some(text.to_owned());
        let name = |name: &str| name.to_owned();
        assert_eq!(read, [(name("a"), some("1")), (name("b"), some("x")), (name("c"), None)]);
        assert_eq!(Parameters::parse("null").unwrap(), Parameters::default());
        assert_eq!(Parameters::parse("[]").unwrap(), Parameters::default());
    }

    #[test]
    fn refuses_the_rest_without_quoting_it() {
        assert_eq!(
            Parameters::parse("{{inputs.parameters}}").unwrap_err().to_string(),
            "the input parameters are an unresolved variable"
        );
        assert!(matches!(Parameters::parse(&" ".repeat(LIMIT + 1)), Err(ParametersError::TooLarge)));
        for text in [
            r#"{"name":"secret"}"#,
            r#"["secret"]"#,
            r#"[{"name":"a","value":7}]"#,
            r#"[{"value":"secret","name":"a"}]"#,
            r#"[{"name":"a","value":"b"}, {"name":"c","value":"secret"}]"#,
            r#"[{"name":"a","value":"b","secret":""}]"#,
            r#"[{"name":"a","value":"secret","value":"x"}]"#,
            "",
            "secret",
        ] {
            let error = Parameters::parse(text).unwrap_err();
            assert!(matches!(error, ParametersError::Foreign), "{text}: {error}");
            assert!(!format!("{error:?}").contains("secret"), "{error:?}");
        }
    }
}
