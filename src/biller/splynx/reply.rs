//! What Splynx answers: whether it is a yes, and what it means where it is none. Pure.

use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::super::send::Answer;
use super::super::{BillerError, wrong_form};
use super::ask::List;
use super::row::{Id, Row};
use crate::domain::one_line;

/// How many characters of Splynx's own words are shown.
const SAID: usize = 200;

/// How long to wait before it is asked again where it does not say.
const PAUSE: Duration = Duration::from_secs(60);

/// The rows of a list.
///
/// # Errors
///
/// [`BillerError`], unless it is a yes and every row can be read. Something else than a list is never taken for an empty one: an error with
/// status 200 and the page of a login are known from the field.
pub(super) fn rows<T: DeserializeOwned + Row>(answer: &Answer, list: List) -> Result<Vec<T>, BillerError> {
    judge(answer, list)?;
    read(answer, "a list")
}

/// The ids of a list's rows.
pub(super) fn ids(answer: &Answer, list: List) -> Result<Vec<u64>, BillerError> {
    #[derive(Deserialize)]
    struct Any {
        id: Id,
    }
    impl Row for Any {
        fn id(&self) -> u64 {
            self.id.0
        }
    }
    Ok(rows::<Any>(answer, list)?.iter().map(Row::id).collect())
}

/// One row, asked for by its id; `None` where there is none, or none that the key may see.
pub(super) fn row<T: DeserializeOwned + Row>(answer: &Answer, list: List, id: u64) -> Result<Option<T>, BillerError> {
    if answer.status == 404 && error_of(&answer.body).is_some() || is_anothers(answer) {
        return Ok(None);
    }
    judge(answer, list)?;
    let row: T = read(answer, "a row")?;
    if row.id() != id {
        return Err(not_an_api(
            answer,
            &format!("sends row {} where {id} was asked for", row.id()),
        ));
    }
    Ok(Some(row))
}

/// How many rows a list has; `None` where the server does not count.
pub(super) fn count(answer: &Answer, list: List) -> Result<Option<u64>, BillerError> {
    match answer.status {
        200 | 204 => Ok(answer.total),
        401 | 403 | 429 => judge(answer, list).map(|()| None),
        // Not every version answers `HEAD`: then the end of the list is looked at instead.
        _ => Ok(None),
    }
}

/// Whether a login was taken.
pub(super) fn login(answer: &Answer) -> Result<(), BillerError> {
    judge_by(
        answer,
        "; may the API key be used at all, and from this machine's address?",
    )
}

/// A login that was taken and gave nothing.
pub(super) fn no_token(answer: &Answer) -> BillerError {
    let what = "takes the login and gives no token; is the address right, and does something between here and Splynx want a login?";
    not_an_api(answer, what)
}

/// Whether something was made.
pub(super) fn made(answer: &Answer, list: List) -> Result<(), BillerError> {
    judge(answer, list)?;
    match answer.status {
        201 => Ok(()),
        _ => read::<Value>(answer, "the id of what was made").map(drop),
    }
}

/// Whether it is a yes.
pub(super) fn judge(answer: &Answer, list: List) -> Result<(), BillerError> {
    judge_by(answer, list.permission())
}

/// Whether it is a yes; `permission` is what to do where the key may not.
fn judge_by(answer: &Answer, permission: &'static str) -> Result<(), BillerError> {
    let status = answer.status;
    if (200..300).contains(&status) {
        return match error_of(&answer.body) {
            None => Ok(()),
            Some(said) => Err(not_an_api(answer, &format!("answered with an error: {said}"))),
        };
    }
    let said = match &answer.elsewhere {
        Some(elsewhere) if (300..400).contains(&status) => {
            let place = elsewhere.split(['?', '#']).next().unwrap_or_default();
            format!("sends to {}", line(place))
        }
        _ => error_of(&answer.body).unwrap_or_default(),
    };
    if status == 429 {
        return Err(BillerError::Busy {
            url: answer.url.clone(),
            said: if said.is_empty() { "status 429".to_owned() } else { said },
            after: answer.retry_after.unwrap_or(PAUSE),
        });
    }
    let help = if is_anothers(answer) {
        "; let the API key see all partners: Administration → API keys → Partner"
    } else {
        match status {
            300..=399 => "; is that its address?",
            400 => "; this version of Splynx is asked in a way that it does not know",
            401 => {
                "; are key and secret right, does the key allow this machine's address, and is this machine's clock right? \
                 Each login has to be later than the last"
            }
            403 => permission,
            404 => "; is the address right? The API is at `/api/2.0` below it",
            405 => "; switch its module on in Splynx (Config → Main → Modules), or have the inventory not go by it",
            422 => "; this version of Splynx wants more than is sent",
            500..=599 => "; it is asked again later",
            _ => "",
        }
    };
    Err(BillerError::Refused {
        url: answer.url.clone(),
        status,
        said: if said.is_empty() { said } else { format!(" ({said})") },
        help,
    })
}

/// Whether it belongs to a partner that the key does not see. Splynx has status 405 for that as well as for a module that is switched off.
fn is_anothers(answer: &Answer) -> bool {
    matches!(answer.status, 403 | 405)
        && String::from_utf8_lossy(&answer.body).contains("NOT_ALLOWED_BY_PARTNER_RESTRICTION")
}

/// Reads a body.
fn read<T: DeserializeOwned>(answer: &Answer, wanted: &str) -> Result<T, BillerError> {
    let error = match serde_json::from_slice(&answer.body) {
        Ok(read) => return Ok(read),
        Err(error) => error,
    };
    let start = answer.body.iter().find(|byte| !byte.is_ascii_whitespace());
    let what = if answer.content_type.contains("html") || start == Some(&b'<') {
        format!(
            "sends a web page where {wanted} should be; is the address right, and does something between here and Splynx want a login?"
        )
    } else if start.is_none() {
        format!("sends nothing where {wanted} should be")
    } else if error.is_eof() {
        format!(
            "sends half of {wanted}: it breaks off after {} bytes",
            answer.body.len()
        )
    } else if error.is_data() {
        format!(
            "sends something else where {wanted} should be: {}",
            line(&wrong_form(&error))
        )
    } else {
        format!("sends something that is no JSON where {wanted} should be")
    };
    Err(not_an_api(answer, &what))
}

fn not_an_api(answer: &Answer, what: &str) -> BillerError {
    BillerError::NotAnApi {
        url: answer.url.clone(),
        what: what.to_owned(),
    }
}

/// The words of `{"error":{"message":…,"code":…,"internal_code":…}}`; `None` where it is nothing like it.
fn error_of(body: &[u8]) -> Option<String> {
    // A list is no error, and may be large.
    if body.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return None;
    }
    let value: Value = serde_json::from_slice(body).ok()?;
    let error = value.get("error").filter(|error| !error.is_null())?;
    let said = |name: &str| error.get(name).and_then(Value::as_str).map(line);
    Some(match (said("message"), said("internal_code")) {
        (Some(message), Some(code)) => format!("{message}, {code}"),
        (Some(said), None) | (None, Some(said)) => said,
        (None, None) => error.as_str().map_or_else(|| "without words".to_owned(), line),
    })
}

/// A text of the other side on one line, short.
fn line(text: &str) -> String {
    one_line(text).chars().take(SAID).collect()
}

#[cfg(test)]
mod tests {
    use super::super::row::{Customer, Service};
    use super::*;

    fn answer(status: u16, content_type: &str, body: &str) -> Answer {
        let url = "https://isp.splynx.app/api/2.0/admin/customers/customer";
        Answer::of(url, status, content_type, body)
    }

    fn json(status: u16, body: &str) -> Answer {
        answer(status, "application/json", body)
    }

    fn error(message: &str, code: u16, internal: &str) -> String {
        format!(r#"{{"error":{{"message":"{message}","code":{code},"internal_code":"{internal}"}}}}"#)
    }

    #[test]
    fn what_is_no_list_is_an_error_that_says_what_to_do() {
        let disabled = error("Method is disabled!", 405, "METHOD_DISABLED");
        assert_eq!(disabled.len(), 88, "the length that was seen on a live server");
        let cases = [
            json(200, &error("Wrong", 400, "BAD_REQUEST")),
            json(200, r#"{"error":"no"}"#),
            json(200, r#"{"id":1}"#),
            json(200, r#"[{"id":1},{"id":2"#),
            json(200, r#"[{"id":"x"}]"#),
            json(200, "null"),
            json(200, ""),
            json(200, "hello"),
            answer(200, "text/html", "<html>Sign in</html>"),
            answer(200, "", "  <!DOCTYPE html>"),
            json(301, ""),
            json(400, &error("Bad", 400, "BAD_REQUEST")),
            json(401, &error("No auth", 401, "UNAUTHORIZED")),
            json(403, &error("Forbidden", 403, "FORBIDDEN")),
            json(403, &error("Partner", 403, "NOT_ALLOWED_BY_PARTNER_RESTRICTION")),
            json(404, "<html>not here</html>"),
            json(405, &disabled),
            json(422, r#"[{"field":"name","message":"x"}]"#),
            json(429, ""),
            json(500, "oops\n\u{1b}[31m"),
            json(503, &error("Down\\n\\u001b[31m for a while", 503, "SERVER_ERROR")),
        ];
        let lines = cases.iter().map(|answer| {
            let error = rows::<Customer>(answer, List::Customers).unwrap_err();
            format!(
                "{} {:?}: {error} [{:?}]",
                answer.status,
                String::from_utf8_lossy(&answer.body),
                error.retry()
            )
        });
        insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn a_list_is_a_list() {
        let customers: Vec<Customer> = rows(&json(200, r#"[{"id":1},{"id":"2"}]"#), List::Customers).unwrap();
        assert_eq!(customers.iter().map(Row::id).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(rows::<Customer>(&json(200, " [] "), List::Customers).unwrap().len(), 0);
    }

    #[test]
    fn every_list_says_its_permission() {
        let forbidden = json(403, &error("Forbidden", 403, "FORBIDDEN"));
        for (list, permission) in [
            (List::Tariffs, "Tariff plans → Internet (view)"),
            (List::Services, "Customers → Customer internet services (view)"),
            (List::Items, "Inventory → Items (view)"),
        ] {
            let error = rows::<Service>(&forbidden, list).unwrap_err().to_string();
            assert!(error.ends_with(permission), "{error}");
        }
    }

    #[test]
    fn a_row_is_there_or_not() {
        let row = |answer: &Answer| row::<Customer>(answer, List::Customers, 7);
        assert_eq!(row(&json(200, r#"{"id":"7"}"#)).unwrap().unwrap().id(), 7);
        assert!(
            row(&json(404, &error("Not found", 404, "NOT_FOUND")))
                .unwrap()
                .is_none()
        );
        let anothers = error("No", 405, "NOT_ALLOWED_BY_PARTNER_RESTRICTION");
        assert!(row(&json(405, &anothers)).unwrap().is_none());
        for wrong in [
            json(200, r#"{"id":8}"#),
            json(200, r#"[{"id":7}]"#),
            json(200, "{}"),
            json(404, "<html>no such page</html>"),
            json(405, &error("Method is disabled!", 405, "METHOD_DISABLED")),
            json(500, ""),
        ] {
            assert!(row(&wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn counts_are_taken_where_there_are_any() {
        let counted = |status, total| {
            let answer = Answer {
                total,
                ..json(status, "")
            };
            count(&answer, List::Customers).ok()
        };
        assert_eq!(counted(204, Some(3)), Some(Some(3)));
        assert_eq!(counted(200, None), Some(None));
        assert_eq!(counted(405, None), Some(None));
        assert_eq!(counted(404, Some(3)), Some(None));
        assert_eq!(counted(403, None), None);
    }
}
