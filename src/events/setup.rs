//! Which events change what people set up: where no caller causes one, it has a line in the audit of its own.

use super::{ActionKind, EventKind, Step};

impl EventKind {
    /// Whether somebody who asks "who changed this?" asks for it: not what stations report as they charge, nor what balancing allows
    /// from moment to moment.
    pub const fn changes_setup(self) -> bool {
        match self {
            Self::Action(action, step) => {
                let configures = matches!(
                    action,
                    ActionKind::StationUpdateConfiguration
                        | ActionKind::StationChangePassword
                        | ActionKind::StationInstallCertificate
                        | ActionKind::StationDeleteCertificate
                        | ActionKind::StationUpdateFirmware
                        | ActionKind::StationSignedUpdateFirmware
                );
                configures && matches!(step, Step::Accepted)
            }
            Self::OrganizationUpdated
            | Self::ApiKeyCreated
            | Self::ApiKeyUpdated
            | Self::ApiKeyDeleted
            | Self::LocationCreated
            | Self::LocationUpdated
            | Self::LocationDeleted
            | Self::StationCreated
            | Self::StationUpdated
            | Self::StationDeleted
            | Self::StationConfigurationUpdated
            | Self::StationCertificateSigned
            | Self::EvseCreated
            | Self::EvseUpdated
            | Self::EvseDeleted
            | Self::ConnectorCreated
            | Self::ConnectorUpdated
            | Self::ConnectorDeleted
            | Self::UserCreated
            | Self::UserUpdated
            | Self::UserDeleted
            | Self::TokenCreated
            | Self::TokenUpdated
            | Self::TokenDeleted
            | Self::RateCreated
            | Self::RateUpdated
            | Self::RateDeleted
            | Self::RateScheduleCreated
            | Self::RateScheduleUpdated
            | Self::RateScheduleDeleted
            | Self::EvseNetworkCreated
            | Self::EvseNetworkUpdated
            | Self::EvseNetworkDeleted
            | Self::EvseNetworkActivated
            | Self::EvseNetworkAssigned
            | Self::EvseGroupCreated
            | Self::EvseGroupUpdated
            | Self::EvseGroupDeleted
            | Self::ServiceOfferCreated
            | Self::ServiceOfferUpdated
            | Self::ServiceOfferPriceUpdated
            | Self::ServiceOfferPublished
            | Self::ServiceOfferActivated
            | Self::ServiceOfferCancelled
            | Self::ServiceOfferExpired
            | Self::ServiceOfferDeleted
            | Self::ChargingProfileCreated
            | Self::ChargingProfileUpdated
            | Self::ChargingProfileDeleted
            | Self::ConfigurationTemplateCreated
            | Self::ConfigurationTemplateUpdated
            | Self::ConfigurationTemplateDeleted
            | Self::AssetCreated
            | Self::AssetUpdated
            | Self::AssetDeleted
            | Self::AssetStateUpdated
            | Self::HomeUserCreated
            | Self::HomeUserInvited
            | Self::HomeUserAccepted
            | Self::HomeUserPasswordReset
            | Self::HomeUserRefreshReused
            | Self::HomeUserDeleted
            | Self::OperatorCreated
            | Self::OperatorAccepted
            | Self::OperatorPasswordReset
            | Self::OperatorUpdated
            | Self::OperatorDeleted
            | Self::GroupCreated
            | Self::GroupUpdated
            | Self::GroupDeleted
            | Self::GroupStationAdded
            | Self::GroupStationUpdated
            | Self::GroupStationRemoved
            | Self::GroupSessionStopped
            | Self::WebhookCreated
            | Self::WebhookUpdated
            | Self::WebhookDeleted
            | Self::WebhookDisabled => true,
            _ => false,
        }
    }
}
