//! What Sonar answers: whether it is an answer at all. Pure.
//!
//! GraphQL says no with status 200, and a part of the data may stand beside the errors: such a part is never taken. Neither is anything
//! else than a JSON object with `data`.

use std::time::Duration;

use serde_json::{Map, Value};

use super::super::BillerError;
use super::super::send::Answer;
use crate::domain::{Secret, one_line};

/// How many characters of Sonar's own words are shown.
const SAID: usize = 200;

/// After how long its counter of requests begins anew.
const COUNTER: Duration = Duration::from_secs(60);

/// What an answer says, by the names of what was asked.
///
/// # Errors
///
/// [`BillerError::Refused`], [`BillerError::Busy`], [`BillerError::NotAnApi`].
pub(super) fn data(answer: &Answer, token: &Secret) -> Result<Map<String, Value>, BillerError> {
    let value: Option<Value> = serde_json::from_slice(&answer.body).ok();
    let said = value.as_ref().and_then(words).map(|text| shown(&text, token));
    let is_limit = said
        .as_ref()
        .is_some_and(|said| said.to_lowercase().contains("request limit"));
    if answer.status == 429 || is_limit {
        return Err(BillerError::Busy {
            url: answer.url.clone(),
            said: said.unwrap_or_else(|| "it says status 429".to_owned()),
            after: COUNTER,
        });
    }
    let is_login = said
        .as_ref()
        .is_some_and(|said| said.to_lowercase().contains("unauthenticated"));
    if answer.status != 200 || is_login {
        return Err(BillerError::Refused {
            url: answer.url.clone(),
            status: answer.status,
            said: said.map(|said| format!(" ({said})")).unwrap_or_default(),
            help: help(if is_login { 401 } else { answer.status }),
        });
    }
    let no = |what: String| BillerError::NotAnApi {
        url: answer.url.clone(),
        what,
    };
    let Some(value) = value else {
        let kind = match answer.content_type.as_str() {
            "" => "something".to_owned(),
            kind => kind.to_owned(),
        };
        return Err(no(format!(
            "answered with {kind} that is no JSON; is the address right, and Sonar well?"
        )));
    };
    if let Some(said) = said {
        return Err(no(format!(
            "answered with an error: {said}; may the role of the token's user read all that docs/billing-sonar.md lists?"
        )));
    }
    match value {
        Value::Object(mut object) => match object.remove("data") {
            Some(Value::Object(data)) => Ok(data),
            _ => Err(no("answered without data; is the address right?".to_owned())),
        },
        _ => Err(no(
            "answered with JSON that is no answer of GraphQL; is the address right?".to_owned(),
        )),
    }
}

/// The words of an answer that says no, as `error`, as `errors`, or as the `message` of a framework; `None` where it says none of them.
fn words(value: &Value) -> Option<String> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Object(object) => match object.get("message") {
            Some(Value::String(text)) => text.clone(),
            _ => value.to_string(),
        },
        other => other.to_string(),
    };
    match value.get("errors").or_else(|| value.get("error")) {
        None | Some(Value::Null) => match value.get("data") {
            None => value.get("message").map(text),
            Some(_) => None,
        },
        Some(Value::Array(errors)) if errors.is_empty() => None,
        Some(Value::Array(errors)) => Some(errors.iter().map(text).collect::<Vec<_>>().join("; ")),
        Some(error) => Some(text(error)),
    }
}

/// A text of Sonar's as it may be shown: on one line, short, without the token, should it be in it.
pub(super) fn shown(text: &str, token: &Secret) -> String {
    let line = one_line(text);
    let line = match token.is_empty() {
        true => line,
        false => line.replace(token.expose(), "***"),
    };
    line.chars().take(SAID).collect()
}

const fn help(status: u16) -> &'static str {
    match status {
        401 => "; is the personal access token right, and not revoked?",
        403 => "; may the role of the token's user do that?",
        404 => "; is the address that of the Sonar instance, such as `https://isp.sonar.software`?",
        300..=399 => "; it sends elsewhere: is the address right?",
        500..=599 => "; it is asked again later",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, content_type: &str, body: &str) -> Result<Map<String, Value>, BillerError> {
        let answer = Answer::of("https://isp.sonar.software/api/graphql", status, content_type, body);
        data(&answer, &Secret::new("canary-token"))
    }

    #[test]
    fn only_data_without_errors_is_data() {
        let data = judged(200, "application/json", r#"{"data":{"accounts":{}},"errors":[]}"#).unwrap();
        assert!(data.contains_key("accounts"));
    }

    #[test]
    fn whatever_else_it_says_is_an_error_with_what_to_do() {
        let said: Vec<String> = [
            (
                200,
                "application/json",
                r#"{"errors":[{"message":"Cannot query field \"x\""}],"data":{"accounts":{}}}"#,
            ),
            (
                200,
                "application/json",
                r#"{"errors":[{"message":"Unauthenticated."}]}"#,
            ),
            (401, "application/json", r#"{"message":"Unauthenticated."}"#),
            (403, "", ""),
            (
                200,
                "application/json",
                r#"{"error":"Request limit of 400/min reached."}"#,
            ),
            (429, "text/html", "<html>"),
            (200, "application/json", r#"{"error":"canary-token\n is   odd"}"#),
            (
                200,
                "application/json",
                r#"{"error":"canary\u001b-\u200btoken is hidden"}"#,
            ),
            (200, "text/html", "<html>Sign in</html>"),
            (502, "text/html", "<html>Bad gateway</html>"),
            (302, "text/html", ""),
            (200, "application/json", "{}"),
            (200, "application/json", r#"{"data":null}"#),
            (200, "application/json", "[]"),
            (200, "", r#"{"data":{"acc"#),
        ]
        .into_iter()
        .map(|(status, kind, body)| judged(status, kind, body).unwrap_err().to_string())
        .map(|said| said.replace("https://isp.sonar.software/api/graphql", "URL"))
        .collect();
        insta::assert_snapshot!(said.join("\n"));
    }

    #[test]
    fn what_a_person_has_to_mend_is_not_asked_again() {
        use crate::transport::Retry;
        let retry = |status, body| judged(status, "application/json", body).unwrap_err().retry();
        assert_eq!(retry(401, ""), Retry::AfterChange);
        assert_eq!(
            retry(200, r#"{"errors":[{"message":"Unauthenticated."}]}"#),
            Retry::AfterChange
        );
        assert_eq!(
            retry(200, r#"{"error":"Request limit of 400/min reached."}"#),
            Retry::Soon
        );
        assert_eq!(retry(502, "<html>"), Retry::Soon);
    }
}
