//! What a new inventory is made from: said by flags, or asked for one by one.

use super::texts::problem;

/// The first device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FirstDevice {
    pub(super) key: String,
    pub(super) model: String,
    pub(super) address: String,
}

/// All that the templates ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answers {
    pub(super) id: String,
    pub(super) site: String,
    pub(super) time_zone: Option<String>,
    pub(super) device: Option<FirstDevice>,
    pub(super) credentials: String,
}

/// What flags have said already.
#[derive(Debug, Clone, Default)]
pub(super) struct Said {
    pub(super) id: Option<String>,
    pub(super) site: Option<String>,
    pub(super) time_zone: Option<String>,
    pub(super) device: Option<String>,
    pub(super) model: Option<String>,
    pub(super) address: Option<String>,
    pub(super) credentials: Option<String>,
}

/// The name of the credentials unless somebody says otherwise.
const CREDENTIALS: &str = "field";

/// The answer that there is no such thing.
const NONE: &str = "none";

impl FirstDevice {
    /// One that would be valid, for what is not known yet.
    fn some() -> Self {
        Self {
            key: "maple-a".to_owned(),
            model: "GAM-12-C".to_owned(),
            address: "192.0.2.10".to_owned(),
        }
    }
}

impl Answers {
    /// The answers before anything is known, valid as they are; each takes the place of one of these.
    fn blank() -> Self {
        Self {
            id: "inventory".to_owned(),
            site: "site".to_owned(),
            time_zone: None,
            device: None,
            credentials: CREDENTIALS.to_owned(),
        }
    }

    /// What is wrong with them; `None`: nothing.
    pub(super) fn problem(&self) -> Option<String> {
        let device = self.device.iter().flat_map(|one| [&one.key, &one.model, &one.address]);
        let all = [&self.id, &self.site, &self.credentials]
            .into_iter()
            .chain(&self.time_zone)
            .chain(device);
        for answer in all {
            // Nothing that YAML could read as anything but a word.
            let plain = |letter: char| letter.is_ascii_alphanumeric() || "._-:/+".contains(letter);
            if answer.is_empty() {
                return Some("it needs an answer".to_owned());
            }
            if !answer.chars().all(plain) {
                return Some(format!(
                    "`{}` holds more than letters, digits and . _ - : / +",
                    answer.escape_debug()
                ));
            }
        }
        problem(self)
    }

    /// The answers that flags gave, and nothing else.
    ///
    /// # Errors
    ///
    /// One line: what is missing, or what is wrong.
    pub(super) fn of_flags(said: Said) -> Result<Self, String> {
        let missing = |flag: &str| format!("nothing is asked for with `--no-input`: give `{flag}` as well");
        let device = match (said.device, said.model, said.address) {
            (None, None, None) => None,
            (key, model, address) => Some(FirstDevice {
                key: key.ok_or_else(|| missing("--device KEY"))?,
                model: model.ok_or_else(|| missing("--model MODEL"))?,
                address: address.ok_or_else(|| missing("--address ADDRESS"))?,
            }),
        };
        let answers = Self {
            id: said.id.ok_or_else(|| missing("--id NAME"))?,
            site: said.site.ok_or_else(|| missing("--site KEY"))?,
            time_zone: said.time_zone,
            device,
            credentials: said.credentials.unwrap_or_else(|| CREDENTIALS.to_owned()),
        };
        match answers.problem() {
            None => Ok(answers),
            Some(problem) => Err(problem),
        }
    }

    /// Asks for what the flags did not say, each question until its answer can be used. `None`: whoever was asked has
    /// left.
    pub(super) fn ask(said: &Said, suggested_id: &str, person: &mut dyn Person) -> Option<Self> {
        let mut interview = Interview {
            person,
            answers: Self::blank(),
        };
        interview.question("Name of the inventory", &said.id, suggested_id, |answers, text| {
            text.clone_into(&mut answers.id);
        })?;
        let site = "Key of the first site, such as its street";
        interview.question(site, &said.site, "maple", |answers, text| {
            text.clone_into(&mut answers.site);
        })?;
        let zone = "Its time zone, such as America/Montreal";
        interview.question(zone, &said.time_zone, NONE, |answers, text| {
            answers.time_zone = (text != NONE).then(|| text.to_owned());
        })?;
        let device = "Key of the first device there, such as maple-a";
        interview.question(device, &said.device, NONE, |answers, text| {
            answers.device = (text != NONE).then(|| FirstDevice {
                key: text.to_owned(),
                ..FirstDevice::some()
            });
        })?;
        if interview.answers.device.is_some() {
            let model = FirstDevice::some().model;
            interview.question("Its model", &said.model, &model, |answers, text| {
                answers
                    .device
                    .iter_mut()
                    .for_each(|device| text.clone_into(&mut device.model));
            })?;
            interview.question("Its address", &said.address, "", |answers, text| {
                answers
                    .device
                    .iter_mut()
                    .for_each(|device| text.clone_into(&mut device.address));
            })?;
        }
        interview.question(
            "Name of the credentials",
            &said.credentials,
            CREDENTIALS,
            |answers, text| {
                text.clone_into(&mut answers.credentials);
            },
        )?;
        Some(interview.answers)
    }
}

/// Somebody who can be asked.
pub(super) trait Person {
    /// Puts a question and gives what was typed; `None`: nobody is there any more.
    fn ask(&mut self, question: &str) -> Option<String>;

    /// Says something that needs no answer.
    fn tell(&mut self, line: &str);
}

struct Interview<'p> {
    person: &'p mut dyn Person,
    answers: Answers,
}

impl Interview<'_> {
    /// One question, until its answer can be used; not put where a flag has answered it. An empty answer stands for
    /// `default`.
    fn question(
        &mut self,
        question: &str,
        said: &Option<String>,
        default: &str,
        put: impl Fn(&mut Answers, &str),
    ) -> Option<()> {
        let mut said = said.clone();
        let question = match default {
            "" => format!("{question}: "),
            default => format!("{question} [{default}]: "),
        };
        loop {
            let text = match said.take() {
                Some(said) => said,
                None => self.person.ask(&question)?,
            };
            let text = Some(text.trim()).filter(|text| !text.is_empty()).unwrap_or(default);
            let mut answers = self.answers.clone();
            put(&mut answers, text);
            match answers.problem() {
                None => {
                    self.answers = answers;
                    return Some(());
                }
                Some(problem) => self.person.tell(&format!("  {problem}")),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Somebody who answers from a list and leaves at its end.
    struct Scripted {
        answers: Vec<&'static str>,
        heard: Vec<String>,
    }

    impl Person for Scripted {
        fn ask(&mut self, question: &str) -> Option<String> {
            self.heard.push(question.to_owned());
            (!self.answers.is_empty()).then(|| self.answers.remove(0).to_owned())
        }

        fn tell(&mut self, line: &str) {
            self.heard.push(line.to_owned());
        }
    }

    fn asked(said: &Said, answers: &[&'static str]) -> (Option<Answers>, Vec<String>) {
        let mut person = Scripted {
            answers: answers.to_vec(),
            heard: Vec::new(),
        };
        (Answers::ask(said, "my-isp", &mut person), person.heard)
    }

    #[test]
    fn every_question_is_put_until_its_answer_can_be_used() {
        let said = Said {
            credentials: Some("noc".to_owned()),
            ..Said::default()
        };
        let (answers, heard) = asked(
            &said,
            &[
                "",
                "Elm Street",
                "elm",
                "Europe/Berlim",
                "Europe/Berlin",
                "elm-a",
                "GAM-13-C",
                "",
                "",
                "10.0.0.1",
            ],
        );
        let device = FirstDevice {
            key: "elm-a".to_owned(),
            model: "GAM-12-C".to_owned(),
            address: "10.0.0.1".to_owned(),
        };
        let expected = Answers {
            id: "my-isp".to_owned(),
            site: "elm".to_owned(),
            time_zone: Some("Europe/Berlin".to_owned()),
            device: Some(device),
            credentials: "noc".to_owned(),
        };
        assert_eq!(answers, Some(expected), "{heard:#?}");
        insta::assert_snapshot!("interview", heard.join("\n"));
    }

    #[test]
    fn who_leaves_gets_nothing() {
        assert_eq!(asked(&Said::default(), &["a", "b"]).0, None);
    }

    #[test]
    fn an_answer_cannot_say_more_than_was_asked() {
        let with = |site: &str| {
            Answers::of_flags(Said {
                id: Some("a".to_owned()),
                site: Some(site.to_owned()),
                ..Said::default()
            })
        };
        assert!(with("maple").is_ok());
        for site in ["", "a: {x: 1}", "a\nb", "\"a\"", "a #", "a{{device}}"] {
            assert!(with(site).is_err(), "{site:?}");
        }
    }
}
