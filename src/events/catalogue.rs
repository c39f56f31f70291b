//! The one table of events: what each is called, what it is about, what its `data` holds and when it is recorded.
//! `docs/EVENTS.md` and the webhooks of the OpenAPI document are made from it; what is not in it cannot be recorded.

use std::borrow::Cow;

use super::ActionKind;
use kernel::spelled::Spelled;

/// What `data` holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payload {
    /// The whole object, by the name of its schema in the OpenAPI document.
    View(&'static str),
    /// An object of these fields.
    Fields(&'static [&'static str]),
}
use Payload::{Fields, View};

crate::spelled! {
    /// How far an action got.
    pub enum Step {
        /// The station is asked.
        Requested = "requested",
        /// The station agreed.
        Accepted = "accepted",
        /// The station refused, was silent or went away.
        Rejected = "rejected",
    }
}

macro_rules! kinds {
    ($($object:literal => $payload:expr => { $($variant:ident = $name:literal, $when:literal;)* })*) => {
        /// What happened.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum EventKind {
            $($(#[doc = $when] $variant,)*)*
            /// An action got this far.
            Action(ActionKind, Step),
        }

        impl EventKind {
            /// All but those of actions.
            const NAMED: &'static [Self] = &[$($(Self::$variant,)*)*];

            /// Its name, such as `session.started`.
            pub fn name(self) -> Cow<'static, str> {
                match self {
                    $($(Self::$variant => $name.into(),)*)*
                    Self::Action(action, step) => format!("{action}.{step}").into(),
                }
            }

            /// The kind of object in `data`.
            pub const fn object(self) -> &'static str {
                match self {
                    $($(Self::$variant => $object,)*)*
                    Self::Action(..) => "action",
                }
            }

            /// What `data` holds.
            pub const fn payload(self) -> Payload {
                match self {
                    $($(Self::$variant => $payload,)*)*
                    Self::Action(..) => View("ActionView"),
                }
            }

            /// Whether stations cause it with every charge.
            pub const fn is_frequent(self) -> bool {
                matches!(
                    self,
                    Self::SessionStarted
                        | Self::SessionUpdated
                        | Self::SessionEnded
                        | Self::StationConnectorStatusUpdated
                        | Self::StationOnline
                        | Self::StationOffline
                        | Self::StationBooted
                )
            }

            /// When it is recorded.
            pub const fn when(self) -> &'static str {
                match self {
                    $($(Self::$variant => $when,)*)*
                    Self::Action(_, Step::Requested) => "The station is asked; `data` is the action.",
                    Self::Action(_, Step::Accepted) => "The station agreed.",
                    Self::Action(_, Step::Rejected) => "The station refused, was silent or went away.",
                }
            }
        }
    };
}

kinds! {
    "organization" => View("OrganizationView") => {
        OrganizationCreated = "organization.created", "An organization was created: the first event that it has.";
        OrganizationUpdated = "organization.updated", "The organization was changed.";
    }
    "api_key" => View("ApiKeyView") => {
        ApiKeyCreated = "api_key.created", "An API key was created; the key itself is never shown.";
        ApiKeyUpdated = "api_key.updated", "An API key was changed, revoked or rotated.";
        ApiKeyDeleted = "api_key.deleted", "An API key was deleted.";
    }
    "location" => View("LocationView") => {
        LocationCreated = "location.created", "A location was created.";
        LocationUpdated = "location.updated", "A location was changed.";
        LocationDeleted = "location.deleted", "A location was deleted; `data` is what it last was.";
    }
    "chargestation" => View("StationView") => {
        StationCreated = "chargestation.created", "A charge station was created.";
        StationUpdated = "chargestation.updated", "A charge station was changed.";
        StationDeleted = "chargestation.deleted", "A charge station was deleted; `data` is what it last was.";
        StationOnline = "chargestation.online", "A charge station opened its socket; in order with `chargestation.offline`.";
        StationOffline = "chargestation.offline", "The socket of a charge station is gone.";
        StationBooted = "chargestation.booted", "A charge station reported its vendor, model and firmware.";
        StationConnectorStatusUpdated = "chargestation.connector_status.updated", "A connector has another status or error; `connectors` has all of them.";
    }
    "chargestation" => Fields(&["chargestation", "message", "payload"]) => {
        StationDiagnosticsStatusUpdated = "chargestation.diagnostics_status.updated", "A charge station reported the state of an upload of diagnostics, in its own words.";
        StationFirmwareStatusUpdated = "chargestation.firmware_status.updated", "A charge station reported the state of a firmware update, in its own words.";
        StationLogStatusUpdated = "chargestation.log_status.updated", "A charge station reported the state of a log upload, in its own words.";
        StationSecurityEvent = "chargestation.security_event", "A charge station reported a security event, in its own words.";
        StationNotified = "chargestation.notified", "A charge station of OCPP 2.x sent another notification, in its own words; `message` names it.";
    }
    "chargestation" => Fields(&["chargestation", "changes"]) => {
        StationConfigurationUpdated = "chargestation.configuration.updated", "A charge station has other values of settings than it was known to have: somebody changed them at the station. `changes` has the `variable` of each, and its value before (`from`) and now (`to`).";
    }
    "chargestation" => Fields(&["chargestation", "reason"]) => {
        StationCertificateSigned = "chargestation.certificate.signed", "A certificate that a charge station asked for was signed.";
        StationCertificateRefused = "chargestation.certificate.refused", "A certificate that a charge station asked for was not signed; `reason` says why.";
    }
    "chargestation" => Fields(&["chargestation", "address", "count"]) => {
        StationReplaced = "chargestation.connection_replaced", "A connection of a charge station took the place of one that was still open: it came again, or two claim to be it. Recorded once a minute at most; `count` is how often since the last time, `address` where the last one came from.";
        StationUnproven = "chargestation.access_refused", "Somebody did not prove to be this charge station: a wrong password or certificate, or none. Recorded once a minute at most; `count` is how often since the last time, with the tries that came too often to be looked at.";
    }
    "chargestation" => Fields(&["endpoint", "address", "count"]) => {
        StationUnknown = "chargestation.unknown", "Somebody connected with an endpoint that no charge station has. Recorded once a minute and address at most, and only where the server has one organization; without `address` where there are many, and without `endpoint` where it was not looked up.";
    }
    "chargestation" => Fields(&["chargestation", "waited", "refused"]) => {
        StationFlooded = "chargestation.flooded", "A charge station says so much, or connects so often, that it is throttled: how many messages and connections had to wait and were refused since the last such event; at most once a minute.";
    }
    "chargestation" => Fields(&["chargestation", "orphans"]) => {
        StationOrphansFull = "chargestation.orphans_full", "A charge station ended so many transactions within a day of which it never reported a start that no more are kept.";
    }
    "acceptance_test" => View("AcceptanceTestView") => {
        AcceptanceTestStarted = "chargestation.acceptance_test.started", "An acceptance test of a charge station was started.";
        AcceptanceTestEnded = "chargestation.acceptance_test.ended", "An acceptance test ended; `status` and `steps` say how.";
    }
    "evse" => View("EvseView") => {
        EvseCreated = "evse.created", "An EVSE was created.";
        EvseUpdated = "evse.updated", "An EVSE was changed.";
        EvseDeleted = "evse.deleted", "An EVSE was deleted; `data` is what it last was.";
    }
    "connector" => View("ConnectorView") => {
        ConnectorCreated = "connector.created", "A connector was created.";
        ConnectorUpdated = "connector.updated", "A connector was changed.";
        ConnectorDeleted = "connector.deleted", "A connector was deleted; `data` is what it last was.";
    }
    "session" => View("SessionView") => {
        SessionCreated = "session.created", "A session was asked for over the API, and waits for its car.";
        SessionStarted = "session.started", "A transaction began.";
        SessionUpdated = "session.updated", "New meter values, or a change over the API.";
        SessionEnded = "session.ended", "A transaction ended.";
        SessionCorrected = "session.corrected", "A session that had ended was corrected: its station reported its end, or that it goes on; the last of `corrections` has the old and the new energy and amount.";
        SessionCancelled = "session.cancelled", "A session never started, or was given up before.";
        SessionStartFailure = "session.start_failure", "The station did not start a session; it is cancelled next.";
        SessionStopFailure = "session.stop_failure", "The station did not stop a session that it was asked to stop over the API; it goes on.";
        SessionEvCharged = "session.ev_charged", "A car that was charging takes no more, for the first time in its session.";
    }
    "user" => View("UserView") => {
        UserCreated = "user.created", "A driver was created.";
        UserUpdated = "user.updated", "A driver was changed.";
        UserDeleted = "user.deleted", "A driver was deleted; `data` is what it last was.";
    }
    "token" => View("TokenView") => {
        TokenCreated = "token.created", "A token was created.";
        TokenUpdated = "token.updated", "A token was changed.";
        TokenDeleted = "token.deleted", "A token was deleted; `data` is what it last was.";
    }
    "token" => Fields(&["chargestation", "connector", "session", "id_tag", "accepted"]) => {
        TokenUnknown = "token.unknown", "A card that no token knows was presented to a reader: `id_tag` is its number, to enrol it by, and `accepted` whether it may charge.";
    }
    "rate" => View("RateView") => {
        RateCreated = "rate.created", "A rate was created.";
        RateUpdated = "rate.updated", "A rate was changed.";
        RateDeleted = "rate.deleted", "A rate was deleted; `data` is what it last was.";
    }
    "rate_schedule" => View("RateScheduleView") => {
        RateScheduleCreated = "rate_schedule.created", "A schedule of rates was created.";
        RateScheduleUpdated = "rate_schedule.updated", "A schedule of rates was changed.";
        RateScheduleDeleted = "rate_schedule.deleted", "A schedule of rates was deleted; `data` is what it last was.";
    }
    "evse_network" => View("EvseNetworkView") => {
        EvseNetworkCreated = "evse_network.created", "A network was created.";
        EvseNetworkUpdated = "evse_network.updated", "A network was changed.";
        EvseNetworkDeleted = "evse_network.deleted", "A network was deleted; `data` is what it last was.";
        EvseNetworkActivated = "evse_network.activated", "The first offer of a network was published.";
    }
    "evse_network" => View("EvseNetworkView") => {
        EvseNetworkAssigned = "evse_network.assigned", "EVSEs were assigned to groups of a network.";
    }
    "evse_group" => View("EvseGroupView") => {
        EvseGroupCreated = "evse_group.created", "A group of EVSEs was created.";
        EvseGroupUpdated = "evse_group.updated", "A group of EVSEs was changed.";
        EvseGroupDeleted = "evse_group.deleted", "A group of EVSEs was deleted; `data` is what it last was.";
    }
    "service_offer" => View("ServiceOfferView") => {
        ServiceOfferCreated = "service_offer.created", "A draft was created.";
        ServiceOfferUpdated = "service_offer.updated", "An offer was changed, or its end moved.";
        ServiceOfferDeleted = "service_offer.deleted", "A draft was deleted; `data` is what it last was.";
        ServiceOfferPublished = "service_offer.published", "An offer was published.";
        ServiceOfferPriceUpdated = "service_offer.price_updated", "A new version with other prices was published; `data` is that version.";
        ServiceOfferActivated = "service_offer.activated", "An offer is valid from now on.";
        ServiceOfferCancelled = "service_offer.cancelled", "An offer was cancelled.";
        ServiceOfferExpired = "service_offer.expired", "The time of an offer is over.";
    }
    "reservation" => View("ReservationView") => {
        ReservationCreated = "reservation.created", "A reservation was created.";
        ReservationRequested = "reservation.requested", "The station is asked to keep the connectors of a reservation.";
        ReservationActive = "reservation.active", "The station keeps the connectors.";
        ReservationUpdated = "reservation.updated", "A reservation was changed.";
        ReservationUsed = "reservation.used", "The holder of a reservation charges.";
        ReservationExpired = "reservation.expired", "The time of a reservation is over.";
        ReservationCancelled = "reservation.cancelled", "A reservation was given up.";
        ReservationFailed = "reservation.failed", "The station keeps no connector.";
        ReservationDeleted = "reservation.deleted", "A reservation that was over was deleted.";
    }
    "charging_profile" => View("ProfileView") => {
        ChargingProfileCreated = "charging_profile.created", "A charging profile was created.";
        ChargingProfileUpdated = "charging_profile.updated", "A charging profile was changed.";
        ChargingProfileDeleted = "charging_profile.deleted", "A charging profile was deleted; `data` is what it last was.";
    }
    "configuration_template" => View("TemplateView") => {
        ConfigurationTemplateCreated = "configuration_template.created", "A configuration template was created.";
        ConfigurationTemplateUpdated = "configuration_template.updated", "A configuration template was changed.";
        ConfigurationTemplateDeleted = "configuration_template.deleted", "A configuration template was deleted; `data` is what it last was.";
    }
    "asset" => View("AssetView") => {
        AssetCreated = "asset.created", "An asset was created.";
        AssetUpdated = "asset.updated", "An asset was changed.";
        AssetDeleted = "asset.deleted", "An asset was deleted; `data` is what it last was.";
        AssetStateUpdated = "asset.state.updated", "A battery was switched on or off.";
        AssetReadingCreated = "asset.reading.created", "New readings of an asset arrived; `data` has the latest.";
    }
    "home_user" => View("HomeUserView") => {
        HomeUserCreated = "home_user.created", "Somebody became a home user.";
        HomeUserInvited = "home_user.invited", "Somebody was invited to the portal.";
        HomeUserAccepted = "home_user.accepted", "An invitation was accepted.";
        HomeUserPasswordReset = "home_user.password_reset", "A home user chose another password.";
        HomeUserRefreshReused = "home_user.refresh_reused", "A refresh token was used twice, so all logins of the home user were ended.";
        HomeUserDeleted = "home_user.deleted", "A home user was deleted.";
    }
    "operator" => View("OperatorView") => {
        OperatorCreated = "operator.created", "Somebody was invited to the panel.";
        OperatorAccepted = "operator.accepted", "An operator accepted the invitation.";
        OperatorPasswordReset = "operator.password_reset", "An operator chose another password; all other logins of theirs ended.";
        OperatorUpdated = "operator.updated", "Role, access, name or second factor of an operator was changed, or they were invited again.";
        OperatorDeleted = "operator.deleted", "An operator was deleted; `data` is what they last were.";
    }
    "load_management.group" => View("GroupView") => {
        GroupCreated = "load_management.group.created", "A group was created.";
        GroupUpdated = "load_management.group.updated", "A group was changed.";
        GroupDeleted = "load_management.group.deleted", "A group was deleted; `data` is what it last was.";
    }
    "load_management.group" => View("MembershipView") => {
        GroupStationAdded = "load_management.group.chargestation_added", "A charge station joined a group.";
        GroupStationUpdated = "load_management.group.chargestation_updated", "The members of a charge station changed.";
        GroupStationRemoved = "load_management.group.chargestation_removed", "A charge station left its group.";
    }
    "load_management.group" => Fields(&["group", "plan", "limits"]) => {
        GroupPlanSettled = "load_management.group.plan_settled", "Every station confirmed its limit of a plan; `limits` has each in kW, with its reason.";
    }
    "load_management.group" => Fields(&["group", "out_of_control"]) => {
        GroupDegraded = "load_management.group.degraded", "Stations are uncontrolled; their exposure is reserved for them.";
    }
    "load_management.group" => Fields(&["group", "groups"]) => {
        GroupLimitExceeded = "load_management.group.limit_exceeded", "More may be drawn than a group has.";
    }
    "load_management.group" => Fields(&["group", "chargestation", "connector", "power", "limit"]) => {
        GroupMemberNotObeying = "load_management.group.member_not_obeying", "A connector draws more than its limit, in kW.";
    }
    "load_management.group" => Fields(&["group", "chargestation", "connector", "power"]) => {
        GroupMemberObeying = "load_management.group.member_obeying", "A connector keeps to its limit again.";
    }
    "load_management.group" => Fields(&["group", "chargestation", "connector", "session", "worst_case_kw"]) => {
        GroupSessionStopped = "load_management.group.session_stopped", "A session was stopped to shed load, because its connector did not obey.";
    }
    "load_management.group" => Fields(&["group", "asset", "latest_at"]) => {
        GroupMeterStale = "load_management.group.meter_stale", "A meter of a group is silent; its highest load is assumed.";
        GroupMeterFresh = "load_management.group.meter_fresh", "A meter of a group sends readings again.";
    }
    "organization" => Fields(&["what", "before", "rows"]) => {
        RetentionApplied = "organization.retention.applied", "What is older than its retention was deleted: `what` it was, `before` when, and how many `rows`.";
    }
    "webhook" => View("WebhookView") => {
        WebhookCreated = "webhook.created", "A webhook was created; its secret is never shown.";
        WebhookUpdated = "webhook.updated", "A webhook was changed, or its secret rotated.";
        WebhookDeleted = "webhook.deleted", "A webhook was deleted; `data` is what it last was.";
        WebhookDisabled = "webhook.disabled", "A webhook received nothing for days and was turned off; `disabled_reason` says why.";
        WebhookTest = "webhook.test", "Somebody asked for a test; only that webhook gets it, and it is in no log.";
    }
    "load_management.priority_charge" => View("PriorityChargeView") => {
        PriorityChargeWaiting = "load_management.priority_charge.waiting", "A priority charge waits for a car.";
        PriorityChargeStarted = "load_management.priority_charge.started", "A priority charge has its car.";
        PriorityChargeEnded = "load_management.priority_charge.ended", "A priority charge is over.";
        PriorityChargeDenied = "load_management.priority_charge.denied", "A priority charge was not allowed.";
        PriorityChargeFailed = "load_management.priority_charge.failed", "A priority charge could not be carried out.";
    }
}

impl EventKind {
    /// Every event there is.
    pub fn all() -> impl Iterator<Item = Self> {
        let steps = |action: &ActionKind| {
            let action = *action;
            Step::ALL.iter().map(move |step| Self::Action(action, *step))
        };
        Self::NAMED.iter().copied().chain(ActionKind::ALL.iter().flat_map(steps))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_name_is_the_only_one_and_begins_with_a_word() {
        let names: Vec<_> = EventKind::all().map(EventKind::name).collect();
        let different: BTreeSet<_> = names.iter().collect();
        assert_eq!(names.len(), different.len());
        let plain = |name: &str| name.chars().all(|c| c.is_ascii_lowercase() || "._0123456789".contains(c));
        assert!(names.iter().all(|name| plain(name) && name.contains('.')));
    }
}
