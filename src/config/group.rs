//! What a table of keys becomes: a struct that is read, shown, and listed as rows.

use toml_edit::{TableLike, Value};

use super::read::{Place, Reader};
use super::row::Row;

/// Keys that are read and shown together.
pub(super) trait Group {
    const ROWS: &'static [Row];
    /// The tables in which these keys may stand.
    const TABLES: &'static [&'static str];
    /// Takes over every key that the table has; what it does not have stays as it is.
    fn read(&mut self, table: &dyn TableLike, place: &Place, reader: &mut Reader<'_>);
    /// The values in the order of the rows.
    fn show(&self) -> Vec<(&'static str, Option<Value>)>;
}

/// `name: Type [least, most] {required} = default;`, where bounds and `{required}` may be left out.
macro_rules! keys {
    ($(
        $(#[doc = $doc:literal])+
        $vis:vis $group:ident in [$($table:literal),+] {
            $(
                $(#[doc = $key_doc:literal])+
                $key:ident : $type:ty $([$low:literal, $high:literal])? $({$required:ident})? = $default:expr;
            )+
        }
    )+) => {
        $(
            $(#[doc = $doc])+
            #[derive(Clone, Debug, PartialEq)]
            $vis struct $group { $( $(#[doc = $key_doc])+ $vis $key: $type, )+ }

            impl Default for $group {
                fn default() -> Self {
                    Self { $( $key: $default, )+ }
                }
            }

            impl Group for $group {
                const ROWS: &'static [Row] = &[$( Row {
                    name: stringify!($key),
                    accepts: <$type as Setting>::accepts,
                    default: || { let value: $type = $default; value.show() },
                    bounds: keys!(@bounds $($low, $high)?),
                    required: keys!(@required $($required)?),
                    doc: concat!($($key_doc, "\n"),+),
                }, )+];
                const TABLES: &'static [&'static str] = &[$($table),+];

                fn read(&mut self, table: &dyn TableLike, place: &Place, reader: &mut Reader<'_>) {
                    let mut rows = Self::ROWS.iter();
                    $(
                        if let Some(value) = rows.next().and_then(|row| reader.take(table, place, row)) {
                            self.$key = value;
                        }
                    )+
                }

                fn show(&self) -> Vec<(&'static str, Option<Value>)> {
                    vec![$( (stringify!($key), self.$key.show()), )+]
                }
            }
        )+

        /// Every key with the tables it may stand in.
        pub(super) fn rows() -> impl Iterator<Item = (&'static Row, &'static [&'static str])> {
            let none = std::iter::empty();
            $( let none = none.chain(<$group as Group>::ROWS.iter().map(|row| (row, <$group as Group>::TABLES))); )+
            none
        }
    };
    (@bounds) => { None };
    (@bounds $low:literal, $high:literal) => { Some(($low, $high)) };
    (@required) => { false };
    (@required required) => { true };
}

pub(super) use keys;
