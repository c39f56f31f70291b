//! What an organization shows of itself to people outside: its name, its logo, and whom they ask for help.

use reqwest::Url;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::model::Organization;
use crate::http::Faults;
use crate::http::address::Address;
use crate::http::fields::{Field, Path, wrong};
use crate::people::users::Email;
use crate::{input, json_schema};
use kernel::OrganizationId;
use kernel::text::Name;

/// A telephone number as people write and dial it: digits, with spaces and signs between them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PhoneNumber(String);

json_schema!(PhoneNumber, {
    "type": "string", "minLength": 3, "maxLength": 40, "pattern": r"^\+?[0-9 ()./-]+$", "example": "+31 20 1234567"
});

impl PhoneNumber {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let rest = text.strip_prefix('+').unwrap_or(text);
        let digits = rest.chars().filter(char::is_ascii_digit).count();
        let is_dialled = rest.chars().all(|letter| letter.is_ascii_digit() || " ()./-".contains(letter));
        (text.len() <= 40 && digits >= 3 && is_dialled).then(|| Self(text.to_owned()))
    }
}

impl Field for PhoneNumber {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        let number = value.as_str().and_then(Self::parse);
        number.or_else(|| wrong(at, faults, "a telephone number such as +31 20 1234567"))
    }
}

/// The address of a page that anybody may open from ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PageUrl(String);

json_schema!(PageUrl, {
    "type": "string", "format": "uri", "maxLength": 500, "pattern": "^https?://", "example": "https://www.example.com/help"
});

impl PageUrl {
    /// Longest one.
    const LONGEST: usize = 500;

    /// Reads one of the web: nothing that a browser would run, and no login that it would send.
    fn parse(text: &str) -> Option<Self> {
        let url: Url = text.trim().parse().ok()?;
        let is_of_the_web = matches!(url.scheme(), "https" | "http") && url.has_host();
        let is_open = url.username().is_empty() && url.password().is_none();
        let text = String::from(url);
        (is_of_the_web && is_open && text.len() <= Self::LONGEST).then_some(Self(text))
    }
}

impl Field for PageUrl {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        let url = value.as_str().and_then(Self::parse);
        url.or_else(|| wrong(at, faults, "a URL such as https://www.example.com/help, without a login"))
    }
}

input! {
    /// Whom drivers and home users ask for help.
    #[derive(Default, Serialize, Deserialize)]
    pub struct SupportContact {
        /// E-mail address.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub email: Option<Email>,
        /// Telephone number.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub phone: Option<PhoneNumber>,
        /// A page that helps.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub url: Option<PageUrl>,
    }
}

impl SupportContact {
    /// Lines for the end of a letter: what there is, each in its own.
    pub fn lines(&self) -> Vec<&str> {
        let Self { email, phone, url } = self;
        let parts =
            [phone.as_ref().map(|phone| &*phone.0), email.as_ref().map(Email::as_str), url.as_ref().map(|url| &*url.0)];
        parts.into_iter().flatten().collect()
    }
}

input! {
    /// A new organization.
    #[schema(example = json!({
        "name": "Harbour Charging", "support_contact": {"phone": "+31 20 1234567", "email": "help@example.com"},
        "address": {"streetAndNumber": "Havenweg 1", "postalCode": "1013 AA", "city": "Amsterdam", "country": "NL"}
    }))]
    pub struct NewOrganization {
        /// What it is called.
        pub name: Name,
        /// Whom drivers and home users ask for help.
        pub support_contact: Option<SupportContact>,
        /// Its postal address.
        pub address: Option<Address>,
    }
}

/// What everybody may see of an organization.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct PublicOrganization {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: OrganizationId,
    /// What it is called.
    #[schema(example = "Harbour Charging")]
    pub name: String,
    /// Where its logo is, on this server; null without one.
    #[schema(example = "/v1.1/organizations/650000000000000000000001/logo?v=9f86d081884c7d65")]
    pub logo: Option<String>,
    /// Whom drivers and home users ask for help; null where nobody is named.
    #[schema(inline)]
    pub support_contact: Option<SupportContact>,
}

impl From<Organization> for PublicOrganization {
    fn from(organization: Organization) -> Self {
        Self {
            id: organization.id,
            logo: organization.logo(),
            name: organization.name,
            support_contact: organization.support_contact.map(|contact| contact.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_telephone_number_can_be_dialled() {
        for right in ["+31 20 1234567", "112", "0800/123-45.67", "+1 (555) 010-0199", " 030 1234 "] {
            assert!(PhoneNumber::parse(right).is_some(), "{right}");
        }
        for wrong in ["", "+", "12", "call me", "+31+20", "020\n1234567", "tel:112", "١٢٣٤", &"1".repeat(41)] {
            assert!(PhoneNumber::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_link_leads_to_a_page_of_the_web() {
        let read = |text: &str| PageUrl::parse(text).map(|url| url.0);
        assert_eq!(read("HTTPS://Help.example.com"), Some("https://help.example.com/".to_owned()));
        assert_eq!(read("http://10.0.0.7:8080/a?b=c#d"), Some("http://10.0.0.7:8080/a?b=c#d".to_owned()));
        for wrong in [
            "javascript:alert(1)",
            "data:text/html,<script>",
            "https://ada@example.com/",
            "https://:pw@example.com/",
            "//example.com",
            "example.com",
            "mailto:help@example.com",
            "https://",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert_eq!(read("https://example.com/\"><script>").as_deref(), Some("https://example.com/%22%3E%3Cscript%3E"));
        let longest = format!("https://example.com/{}", "a".repeat(480));
        assert_eq!(read(&longest), Some(longest.clone()));
        assert_eq!(read(&format!("{longest}a")), None);
    }
}
