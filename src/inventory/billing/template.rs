//! Keys, names and texts of new subscribers, with what is put into them.

use std::fmt;

/// What is put into a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placeholder {
    /// The account's id.
    Account,
    /// The service's id.
    Service,
    /// The customer's name.
    Name,
}

impl Placeholder {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Account, Self::Service, Self::Name];

    /// Its word between the braces.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Service => "service",
            Self::Name => "name",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Of(Placeholder),
}

/// A text such as `c-{account}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Part>);

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotATemplate {
    /// It is empty.
    Empty,
    /// A brace is not closed, or not opened.
    Brace,
    /// What stands between braces is no placeholder.
    Unknown(String),
}

impl Template {
    /// `s-{service}`.
    pub(super) fn default_key() -> Self {
        Self(vec![Part::Text("s-".to_owned()), Part::Of(Placeholder::Service)])
    }

    /// Reads a template.
    ///
    /// # Errors
    ///
    /// [`NotATemplate`].
    pub fn parse(text: &str) -> Result<Self, NotATemplate> {
        let mut parts = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let Some(at) = rest.find(['{', '}']) else {
                parts.push(Part::Text(rest.to_owned()));
                break;
            };
            let (before, from) = rest.split_at(at);
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            let inner = from.strip_prefix('{').ok_or(NotATemplate::Brace)?;
            let (word, after) = inner.split_once('}').ok_or(NotATemplate::Brace)?;
            let known = Placeholder::ALL.into_iter().find(|one| one.word() == word);
            parts.push(Part::Of(known.ok_or_else(|| NotATemplate::Unknown(word.to_owned()))?));
            rest = after;
        }
        if parts.is_empty() {
            return Err(NotATemplate::Empty);
        }
        Ok(Self(parts))
    }

    /// Whether it has something in it that tells one service, or one account, from another.
    #[must_use]
    pub fn tells_apart(&self) -> bool {
        let tells = |part: &Part| matches!(part, Part::Of(Placeholder::Account | Placeholder::Service));
        self.0.iter().any(tells)
    }

    /// The text, with what `of` says in the place of each placeholder.
    #[must_use]
    pub fn filled<'v>(&self, of: impl Fn(Placeholder) -> &'v str) -> String {
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Of(placeholder) => of(*placeholder).to_owned(),
        };
        self.0.iter().map(part).collect()
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.0 {
            match part {
                Part::Text(text) => f.write_str(text)?,
                Part::Of(placeholder) => write!(f, "{{{}}}", placeholder.word())?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_and_the_rest_stays() {
        let template = Template::parse("c-{account}.{service} {name}!").unwrap();
        let filled = template.filled(|placeholder| match placeholder {
            Placeholder::Account => "1001",
            Placeholder::Service => "5001",
            Placeholder::Name => "{account}",
        });
        assert_eq!(filled, "c-1001.5001 {account}!");
        assert_eq!(template.to_string(), "c-{account}.{service} {name}!");
        assert!(template.tells_apart());
        assert!(!Template::parse("{name}").unwrap().tells_apart());
    }

    #[test]
    fn what_is_no_template_is_told_apart() {
        for (text, why) in [
            ("", NotATemplate::Empty),
            ("a{", NotATemplate::Brace),
            ("a}", NotATemplate::Brace),
            ("{accout}", NotATemplate::Unknown("accout".to_owned())),
            ("{}", NotATemplate::Unknown(String::new())),
        ] {
            assert_eq!(Template::parse(text), Err(why), "{text}");
        }
    }
}
