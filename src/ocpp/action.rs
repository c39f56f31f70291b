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
/// It makes `Incoming`, everything a station may say, `Command`, everything a station may be told, and `check_raw`.
#[macro_export]
macro_rules! actions {
    ($version:literal
        from_station { $($from:ident = $from_module:ident),* $(,)? }
        both_ways { $($both:ident = $both_module:ident),* $(,)? }
        to_station { $($to:ident = $to_module:ident),* $(,)? }
    ) => {
        $crate::actions!(@request $($from = $from_module,)* $($both = $both_module,)* $($to = $to_module,)*);
        $crate::actions! { @direction $version
            /// Everything a station may say.
            Incoming { $($from = $from_module,)* $($both = $both_module,)* }
        }
        $crate::actions! { @direction $version
            /// Everything a station may be told.
            Command { $($to = $to_module,)* $($both = $both_module,)* }
        }

        /// Everything about the arguments of any action that is not as the specification wants it, each with its
        /// path; for payloads written by hand, which are never mended.
        pub fn check_raw(action: &str, payload: &serde_json::value::RawValue) -> Result<(), Vec<String>> {
            match action {
                $(stringify!($from) => $crate::ocpp::decode::check::<$from_module::Request>(payload),)*
                $(stringify!($both) => $crate::ocpp::decode::check::<$both_module::Request>(payload),)*
                $(stringify!($to) => $crate::ocpp::decode::check::<$to_module::Request>(payload),)*
                _ => Err(vec![format!("{action} is not an action of {}", $version)]),
            }
        }

        /// The error for an action that cannot be used in this direction.
        fn unusable(action: &str) -> $crate::ocpp::CallError {
            use $crate::ocpp::{CallError, ErrorCode};
            let known = [$(stringify!($from),)* $(stringify!($both),)* $(stringify!($to),)*];
            if known.contains(&action) {
                CallError::new(ErrorCode::NotSupported, format!("{action} goes the other way"))
            } else {
                CallError::new(ErrorCode::NotImplemented, format!("{action} is not an action of {}", $version))
            }
        }
    };
    (@request $($action:ident = $module:ident,)*) => {$(
        impl $crate::ocpp::action::Request for $module::Request {
            const ACTION: &'static str = stringify!($action);
            type Response = $module::Response;
        }
    )*};
    (@direction $version:literal $(#[$meta:meta])* $name:ident { $($action:ident = $module:ident,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum $name {
            $(#[doc = concat!("See [`", stringify!($module), "`].")] $action($module::Request),)*
        }

        impl $name {
            /// Reads the arguments of an action that was received at this instant; the error is the one to answer.
            pub fn decode(
                action: &str,
                payload: &serde_json::value::RawValue,
                received_at: $crate::kernel::Timestamp,
            ) -> Result<$crate::ocpp::Decoded<Self>, $crate::ocpp::CallError> {
                match action {
                    $(stringify!($action) => $crate::ocpp::decode(payload, received_at)
                        .map(|decoded| decoded.map(Self::$action)),)*
                    _ => Err(unusable(action)),
                }
            }
            /// The name in the envelope.
            pub const fn action(&self) -> &'static str {
                match self { $(Self::$action(_) => stringify!($action),)* }
            }
            /// The arguments as JSON.
            pub fn payload(&self) -> String {
                match self { $(Self::$action(request) => $crate::ocpp::wire::Wire::to_json(request),)* }
            }
        }

        $(impl From<$module::Request> for $name {
            fn from(request: $module::Request) -> Self { Self::$action(request) }
        })*
    };
}
