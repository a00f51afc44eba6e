//! How one value is read from TOML, checked and shown again. A type that implements [`Setting`] can be a key.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use toml_edit::{Array, InlineTable, Item, Value};

use crate::domain::model::Landing;
use crate::domain::secret::SecretSource;

/// Why a value was not taken.
#[derive(Debug)]
pub(super) enum Bad {
    /// Not of the type that is accepted; the reader says which one is.
    Type,
    /// Of the right type, and wrong all the same: a sentence that follows the key's name.
    Says(String),
}

/// A type that a key may have.
pub(super) trait Setting: Sized {
    /// What is accepted, as words that follow "wants".
    fn accepts() -> String;
    /// `folder` is where relative paths start: the folder of the configuration file.
    fn read(item: &Item, folder: &Path) -> Result<Self, Bad>;
    /// The value as TOML; `None` where nothing is set.
    fn show(&self) -> Option<Value>;
    /// Whether a number lies within the bounds of its key; true for what is not a number.
    fn within(&self, _low: i32, _high: i32) -> bool {
        true
    }
}

/// A type that a list may hold.
pub(super) trait Element: Sized {
    /// What a list of it holds, in the plural.
    fn accepts_many() -> String;
    fn read_one(value: &Value) -> Result<Self, Bad>;
    fn show_one(&self) -> Value;
}

impl Setting for bool {
    fn accepts() -> String {
        "true or false".to_owned()
    }
    fn read(item: &Item, _folder: &Path) -> Result<Self, Bad> {
        item.as_bool().ok_or(Bad::Type)
    }
    fn show(&self) -> Option<Value> {
        Some(Value::from(*self))
    }
}

macro_rules! whole_numbers {
    ($($type:ty),+) => { $(
        impl Setting for $type {
            fn accepts() -> String {
                "a whole number".to_owned()
            }
            fn read(item: &Item, _folder: &Path) -> Result<Self, Bad> {
                let number = item.as_integer().ok_or(Bad::Type)?;
                Self::try_from(number).map_err(|_too_large| Bad::Says(format!("cannot be {number}")))
            }
            fn show(&self) -> Option<Value> {
                Some(Value::from(i64::try_from(*self).unwrap_or(i64::MAX)))
            }
            fn within(&self, low: i32, high: i32) -> bool {
                i64::try_from(*self).is_ok_and(|n| (i64::from(low)..=i64::from(high)).contains(&n))
            }
        }
    )+ };
}
whole_numbers!(u32, u64);

impl Setting for f64 {
    fn accepts() -> String {
        "a number".to_owned()
    }
    fn read(item: &Item, _folder: &Path) -> Result<Self, Bad> {
        if let Some(number) = item.as_float() {
            return Ok(number);
        }
        let whole = item.as_integer().ok_or(Bad::Type)?;
        // Larger ones are out of every key's bounds anyway.
        i32::try_from(whole).map(Self::from).map_err(|_too_large| Bad::Says(format!("cannot be {whole}")))
    }
    fn show(&self) -> Option<Value> {
        Some(Value::from(*self))
    }
    /// False for infinities and for what is not a number at all, which TOML can write.
    fn within(&self, low: i32, high: i32) -> bool {
        (Self::from(low)..=Self::from(high)).contains(self)
    }
}

impl Setting for String {
    fn accepts() -> String {
        "a string".to_owned()
    }
    fn read(item: &Item, _folder: &Path) -> Result<Self, Bad> {
        let text = item.as_str().ok_or(Bad::Type)?;
        if text.trim().is_empty() {
            return Err(Bad::Says("is empty: give it a text or leave the key out".to_owned()));
        }
        if text.chars().any(char::is_control) {
            return Err(Bad::Says("holds a control character (a line break, a tab): take it out".to_owned()));
        }
        Ok(text.to_owned())
    }
    fn show(&self) -> Option<Value> {
        Some(Value::from(self.as_str()))
    }
}

impl Element for String {
    fn accepts_many() -> String {
        "strings".to_owned()
    }
    fn read_one(value: &Value) -> Result<Self, Bad> {
        let text = value.as_str().ok_or(Bad::Type)?;
        // No program takes such an argument, and the error from starting it would name no key.
        if text.contains('\0') {
            return Err(Bad::Says("holds a NUL character: take it out".to_owned()));
        }
        Ok(text.to_owned())
    }
    fn show_one(&self) -> Value {
        Value::from(self.as_str())
    }
}

impl<T: Element> Setting for Vec<T> {
    fn accepts() -> String {
        format!("an array of {}", T::accepts_many())
    }
    fn read(item: &Item, _folder: &Path) -> Result<Self, Bad> {
        item.as_array().ok_or(Bad::Type)?.iter().map(T::read_one).collect()
    }
    fn show(&self) -> Option<Value> {
        Some(Value::from(self.iter().map(T::show_one).collect::<Array>()))
    }
}

impl<T: Setting> Setting for Option<T> {
    fn accepts() -> String {
        T::accepts()
    }
    fn read(item: &Item, folder: &Path) -> Result<Self, Bad> {
        T::read(item, folder).map(Some)
    }
    fn show(&self) -> Option<Value> {
        self.as_ref().and_then(Setting::show)
    }
    fn within(&self, low: i32, high: i32) -> bool {
        self.as_ref().is_none_or(|value| value.within(low, high))
    }
}

impl Setting for PathBuf {
    fn accepts() -> String {
        "a path".to_owned()
    }
    fn read(item: &Item, folder: &Path) -> Result<Self, Bad> {
        let text = String::read(item, folder)?;
        // A folder called "~" is never what was meant, and the home of cron is not always yours.
        if text == "~" || text.starts_with("~/") || text.contains('$') {
            let why = "is written with `~` or `$`, which is not expanded here: write the whole path";
            return Err(Bad::Says(why.to_owned()));
        }
        Ok(folder.join(text).components().filter(|part| *part != Component::CurDir).collect())
    }
    fn show(&self) -> Option<Value> {
        Some(Value::from(self.to_string_lossy().into_owned()))
    }
}

impl Setting for BTreeMap<String, i64> {
    fn accepts() -> String {
        "a table of words, each with a whole number".to_owned()
    }
    fn read(item: &Item, _folder: &Path) -> Result<Self, Bad> {
        let table = item.as_table_like().ok_or(Bad::Type)?;
        let one = |(word, number): (&str, &Item)| {
            let number = number.as_integer().ok_or_else(|| {
                Bad::Says(format!("gives `{word}` something that is not a whole number: write {word} = 10"))
            })?;
            Ok((word.to_owned(), number))
        };
        table.iter().map(one).collect()
    }
    fn show(&self) -> Option<Value> {
        let mut table = InlineTable::new();
        for (word, number) in self {
            table.insert(word, Value::from(*number));
        }
        Some(Value::InlineTable(table))
    }
}

impl Setting for SecretSource {
    fn accepts() -> String {
        Self::ACCEPTED.to_owned()
    }
    fn read(item: &Item, folder: &Path) -> Result<Self, Bad> {
        if item.is_str() {
            return Err(Bad::Says(format!(
                "is a secret, and a secret is never written into the configuration: write {} instead, and change \
                 the secret if this file was shared",
                Self::ACCEPTED
            )));
        }
        let table = item.as_table_like().ok_or(Bad::Type)?;
        let mut entries = table.iter();
        let (Some((source, value)), None) = (entries.next(), entries.next()) else {
            return Err(Bad::Says(format!("wants exactly one source: {}", Self::ACCEPTED)));
        };
        match source {
            "env" => String::read(value, folder).map(Self::Env),
            "file" => PathBuf::read(value, folder).map(Self::File),
            "credential" => match String::read(value, folder)? {
                name if name.contains('/') || name.starts_with('.') => {
                    Err(Bad::Says("names a credential by a path: give its plain name".to_owned()))
                }
                name => Ok(Self::Credential(name)),
            },
            "command" => match Vec::<String>::read(value, folder)? {
                argv if argv.first().is_none_or(String::is_empty) => {
                    Err(Bad::Says("has a command without a program".to_owned()))
                }
                argv => Ok(Self::Command(argv)),
            },
            other => Err(Bad::Says(format!("knows no source `{other}`: write {}", Self::ACCEPTED))),
        }
    }
    fn show(&self) -> Option<Value> {
        let (source, value) = match self {
            Self::Env(name) => ("env", Value::from(name.as_str())),
            Self::File(path) => ("file", Value::from(path.to_string_lossy().into_owned())),
            Self::Credential(name) => ("credential", Value::from(name.as_str())),
            Self::Command(argv) => ("command", Value::from(argv.iter().collect::<Array>())),
        };
        let mut table = InlineTable::new();
        table.insert(source, value);
        Some(Value::InlineTable(table))
    }
}

/// How finished work reaches the target branch, and what the push guard lets through.
#[derive(Clone, Debug, PartialEq)]
pub struct LandingRule {
    pub mode: Landing,
    /// Paths, relative to the top of the repository, that the push guard does not refuse.
    pub allow_paths: Vec<String>,
}

impl Setting for LandingRule {
    fn accepts() -> String {
        "\"pull-request\" or \"push\", or a table { mode = \"push\", allow_paths = [\"path\"] }".to_owned()
    }
    fn read(item: &Item, folder: &Path) -> Result<Self, Bad> {
        let mode = |text: &str| {
            text.parse().map_err(|_unknown| {
                Bad::Says(format!("knows no landing \"{text}\": write \"pull-request\" or \"push\""))
            })
        };
        if let Some(text) = item.as_str() {
            return Ok(Self { mode: mode(text)?, allow_paths: Vec::new() });
        }
        let mut rule = Self { mode: Landing::PullRequest, allow_paths: Vec::new() };
        for (key, value) in item.as_table_like().ok_or(Bad::Type)?.iter() {
            match key {
                "mode" => rule.mode = mode(value.as_str().ok_or(Bad::Type)?)?,
                "allow_paths" => rule.allow_paths = Vec::read(value, folder)?,
                "merge" => {
                    return Err(Bad::Says(
                        "has no `merge` in it: write `merge` as a key of its own, beside `landing`"
                            .to_owned(),
                    ));
                }
                other => {
                    return Err(Bad::Says(format!("knows no `{other}`: it has `mode` and `allow_paths`")));
                }
            }
        }
        let strange = |path: &String| path.is_empty() || path.starts_with('/') || path.contains("..");
        match rule.allow_paths.iter().find(|path| strange(path)) {
            Some(path) => Err(Bad::Says(format!(
                "allows the path \"{path}\": write paths from the top of the repository, without \"..\""
            ))),
            None => Ok(rule),
        }
    }
    fn show(&self) -> Option<Value> {
        let word = self.mode.code();
        if self.allow_paths.is_empty() {
            return Some(Value::from(word));
        }
        let mut table = InlineTable::new();
        table.insert("mode", Value::from(word));
        table.insert("allow_paths", Value::from(self.allow_paths.iter().collect::<Array>()));
        Some(Value::InlineTable(table))
    }
}

/// A closed list of words as an enum; words of later versions are known, and refused with a sentence.
macro_rules! words {
    (
        $(#[doc = $doc:literal])+
        $name:ident { $( $(#[doc = $word_doc:literal])* $variant:ident = $word:literal, )+ }
        not yet [$($later:literal),*]
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $( $(#[doc = $word_doc])* $variant, )+ }

        impl $name {
            /// The word as the configuration writes it.
            pub fn word(self) -> &'static str {
                match self { $( Self::$variant => $word, )+ }
            }
        }

        impl Element for $name {
            fn accepts_many() -> String {
                let words: &[&str] = &[$($word),+];
                words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ")
            }
            fn read_one(value: &Value) -> Result<Self, Bad> {
                let later: &[&str] = &[$($later),*];
                let accepted = <Self as Setting>::accepts();
                match value.as_str().ok_or(Bad::Type)? {
                    $( $word => Ok(Self::$variant), )+
                    text if later.contains(&text) => Err(Bad::Says(format!(
                        "= \"{text}\" is not in this version yet: it wants {accepted}"
                    ))),
                    text => Err(Bad::Says(format!("wants {accepted}, and \"{text}\" is not that"))),
                }
            }
            fn show_one(&self) -> Value {
                Value::from(self.word())
            }
        }

        impl Setting for $name {
            fn accepts() -> String {
                let words: &[&str] = &[$($word),+];
                words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" or ")
            }
            fn read(item: &Item, _folder: &Path) -> Result<Self, Bad> {
                <Self as Element>::read_one(item.as_value().ok_or(Bad::Type)?)
            }
            fn show(&self) -> Option<Value> {
                Some(<Self as Element>::show_one(self))
            }
        }
    };
}
pub(super) use words;
