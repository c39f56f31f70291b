//! What is reported of a payload that broke the specification: repairs as deviations, the rest as faults.

/// How a value that broke the specification was repaired.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Repair {
    /// A time without a zone was taken as UTC.
    #[error("is a time without a zone")]
    TimeWithoutZone,
    /// A time was readable, but not RFC 3339.
    #[error("is not written like 2026-05-01T08:30:00Z")]
    OddTime,
    /// What should be a time is none; the time of receipt stands in for it.
    #[error("is no time")]
    UnreadableTime,
    /// A text is longer than allowed; a description was cut, an identifier was kept whole.
    #[error("has more than {0} characters")]
    TooLong(usize),
    /// A value nobody specified was kept as text.
    #[error("is not a value of the specification")]
    UnknownValue,
    /// A name or value differs from the specification in case or separators.
    #[error("is spelled differently in the specification")]
    OtherSpelling,
    /// A number or something else stood where a text is due.
    #[error("must be a text")]
    NotText,
    /// A text stood where a number or a truth value is due.
    #[error("must not be in quotes")]
    Quoted,
    /// A number has more decimal places than allowed.
    #[error("has more decimal places than allowed")]
    Rounded,
    /// `null` stood where nothing should.
    #[error("must be left out instead of null")]
    Null,
    /// One item stood where a list is due.
    #[error("must be a list")]
    NotAList,
    /// A list has nothing in it.
    #[error("must not be empty")]
    EmptyList,
    /// An optional value or an item of a list could not be read and was left out.
    #[error("{0}")]
    LeftOut(Problem),
    /// A required field is not there, and its message is answered all the same.
    #[error("is missing")]
    Missing,
    /// A field nobody specified was ignored.
    #[error("is not a field of this message")]
    UnknownField,
}

/// Why a value cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The payload is no JSON object.
    #[error("must be a JSON object")]
    NotAnObject,
    /// A required field is not there.
    #[error("is missing")]
    Missing,
    /// A value of another type stands there.
    #[error("must be {0}")]
    WrongType(&'static str),
    /// The type is right and the value is not allowed.
    #[error("must be {0}")]
    NotAllowed(String),
}

/// One repair: where, what, and the text that stood there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deviation {
    /// Such as `meterValue[0].timestamp`.
    pub path: String,
    /// What was done.
    pub repair: Repair,
    /// The JSON that stood there, cut to 500 characters.
    pub raw: String,
}

/// One thing beyond repair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Such as `idTag`; empty for the payload itself.
    pub path: String,
    /// What is wrong.
    pub problem: Problem,
}
