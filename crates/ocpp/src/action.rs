//! What makes a payload a request, and the list of all requests of a version.

use super::wire::Wire;

/// The arguments of an action, its name and what it is answered with.
pub trait Request: Wire {
    /// The name in the envelope.
    const ACTION: &'static str;
    /// What it is answered with.
    type Response: Wire;
}

/// Declares the actions of a version by the modules that hold their `Request` and `Response`.
///
/// It makes `Incoming`, everything a station may say, `Command`, everything a station may be sent, and `check_raw`.
#[macro_export]
macro_rules! actions {
    (
        from_station { $($from:ident = $from_module:ident $([$from_since:ident])?),* $(,)? }
        both_ways { $($both:ident = $both_module:ident),* $(,)? }
        to_station { $($to:ident = $to_module:ident $([$to_since:ident])?),* $(,)? }
    ) => {
        $crate::actions!(@request $($from = $from_module,)* $($both = $both_module,)* $($to = $to_module,)*);
        $crate::actions! { @direction
            /// Everything a station may say.
            Incoming { $($from = $from_module,)* $($both = $both_module,)* }
        }
        $crate::actions! { @direction
            /// Everything a station may be sent.
            Command { $($to = $to_module,)* $($both = $both_module,)* }
        }

        /// Everything about the arguments of any action that is not as the specification of this version wants it,
        /// each with its path; for payloads that are sent, which are never repaired.
        pub fn check_raw(
            action: &str,
            payload: &serde_json::value::RawValue,
            version: ::kernel::Protocol,
        ) -> Result<(), Vec<String>> {
            match action {
                _ if !exists(action, version) => Err(vec![unusable(action, version).description]),
                $(stringify!($from) => $crate::decode::check::<$from_module::Request>(payload, version),)*
                $(stringify!($both) => $crate::decode::check::<$both_module::Request>(payload, version),)*
                $(stringify!($to) => $crate::decode::check::<$to_module::Request>(payload, version),)*
                _ => Err(vec![unusable(action, version).description]),
            }
        }

        /// Whether this version has such an action.
        fn exists(action: &str, version: ::kernel::Protocol) -> bool {
            let known = [$(stringify!($from),)* $(stringify!($both),)* $(stringify!($to),)*];
            let new: &[&str] = &[$($crate::actions!(@new $from $($from_since)?),)* $($crate::actions!(@new $to $($to_since)?),)*];
            known.contains(&action) && (version >= ::kernel::Protocol::V21 || !new.contains(&action))
        }

        /// The error for an action that cannot be used in this direction.
        fn unusable(action: &str, version: ::kernel::Protocol) -> $crate::CallError {
            use $crate::{CallError, ErrorCode};
            if exists(action, version) {
                CallError::new(ErrorCode::NotSupported, format!("{action} goes the other way"))
            } else {
                CallError::new(ErrorCode::NotImplemented, format!("{action} is not an action of {}", version.title()))
            }
        }
    };
    (@new $action:ident) => { "" };
    (@new $action:ident V21) => { stringify!($action) };
    (@request $($action:ident = $module:ident,)*) => {$(
        impl $crate::action::Request for $module::Request {
            const ACTION: &'static str = stringify!($action);
            type Response = $module::Response;
        }
    )*};
    (@direction $(#[$meta:meta])* $name:ident { $($action:ident = $module:ident,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[allow(clippy::large_enum_variant, reason = "there is one at a time, and it is taken apart at once")]
        pub enum $name {
            $(#[doc = concat!("See [`", stringify!($module), "`].")] $action($module::Request),)*
        }

        impl $name {
            /// Reads the arguments of an action that was received at this instant; the error is the one to answer.
            pub fn decode(
                action: &str,
                payload: &serde_json::value::RawValue,
                received_at: ::kernel::Timestamp,
                version: ::kernel::Protocol,
            ) -> Result<$crate::Decoded<Self>, $crate::CallError> {
                match action {
                    _ if !exists(action, version) => Err(unusable(action, version)),
                    $(stringify!($action) => $crate::decode(payload, received_at, version)
                        .map(|decoded| decoded.map(Self::$action)),)*
                    _ => Err(unusable(action, version)),
                }
            }
            /// The name in the envelope.
            pub const fn action(&self) -> &'static str {
                match self { $(Self::$action(_) => stringify!($action),)* }
            }
            /// The arguments as JSON.
            pub fn payload(&self) -> String {
                match self { $(Self::$action(request) => $crate::wire::Wire::to_json(request),)* }
            }
        }

        $(impl From<$module::Request> for $name {
            fn from(request: $module::Request) -> Self { Self::$action(request) }
        })*
    };
}
