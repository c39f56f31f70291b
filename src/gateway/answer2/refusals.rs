//! Questions that are answered with a regular "no": nobody here can say yes, and each says why.

use crate::gateway::answer::Call;
use kernel::Timestamp;
use ocpp::text::{Exact, Label};
use ocpp::v2::*;
use ocpp::wire::Wire;
use std::time::Duration;

/// When it makes sense to ask again after certificates.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(24 * 3_600);

/// The answer to what cannot be done.
pub(super) fn refusal(call: Call<'_>, incoming: Incoming) -> String {
    match incoming {
        Incoming::GetCertificateStatus(_) => get_certificate_status::Response {
            status: GetCertificateStatus::Failed,
            status_info: why("NotSupported", "No responder (OCSP) is configured"),
            ocsp_result: None,
        }
        .to_json(),
        Incoming::GetCertificateChainStatus(request) => get_certificate_chain_status::Response {
            certificate_status: request
                .certificate_status_requests
                .into_iter()
                .map(|asked| unknown(asked, call.now + ASK_AGAIN_AFTER))
                .collect(),
        }
        .to_json(),
        Incoming::Get15118EVCertificate(_) => get_15118_ev_certificate::Response {
            status: Iso15118EvCertificateStatus::Failed,
            status_info: why("NotSupported", "No contract certificates are issued here"),
            exi_response: Exact::empty(),
            remaining_contracts: None,
        }
        .to_json(),
        Incoming::VatNumberValidation(request) => vat_number_validation::Response {
            company: None,
            status_info: why("NotSupported", "VAT numbers are not looked up"),
            vat_number: request.vat_number,
            evse_id: request.evse_id,
            status: GenericStatus::Rejected,
        }
        .to_json(),
        _ => data_transfer::Response { status: DataTransferStatus::UnknownVendorId, status_info: None, data: None }
            .to_json(),
    }
}

/// Why it was refused.
pub(super) fn why(code: &str, text: &str) -> Option<StatusInfo> {
    Some(StatusInfo { additional_info: Label::new(text).ok(), reason_code: Label::new(code).ok()? })
}

fn unknown(asked: CertificateStatusRequestInfo, next_update: Timestamp) -> CertificateStatus {
    CertificateStatus {
        certificate_hash_data: asked.certificate_hash_data,
        next_update,
        source: asked.source,
        status: CertificateStatusKind::NotKnown,
    }
}
