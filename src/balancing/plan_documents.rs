//! The documents of plans as bytes: each is a difference against an earlier one, the base, which is kept whole.
//!
//! A document is the JSON of a snapshot, a line feed, and the JSON of the plan that was made of it. A base is a Zstandard frame
//! of a document. What is kept of a plan is a frame of its document with the document of the base before it as a prefix, which is
//! what `zstd --patch-from` writes: what both have in common costs a few bytes, wherever it stands. The prefix is no part of the
//! frame and has to be the same to the byte when that is read; a checksum of the content says when it is not.
//!
//! Every difference hangs on one base and on no other difference. So two rows are enough to read a plan, any plan can be
//! deleted, and what is damaged harms one plan, or those of one base.

use std::sync::Arc;

use zstd::zstd_safe::{CCtx, CParameter, DCtx, compress_bound, get_error_name, get_frame_content_size};

use crate::store::StoreError;
use engine::{Plan, Snapshot};
use kernel::PlanId;

/// How hard frames are compressed: what higher levels save of a difference costs several times their time.
const LEVEL: i32 = 3;
/// The largest window a frame is written with, which every reader accepts: 128 MiB.
const LARGEST_WINDOW: u32 = 27;
/// The largest document that is read: a damaged header must not fill the memory. A group of 500 has 350 kB.
const LARGEST: u64 = 256 << 20;
/// Plans that hang on one base at most: so many are lost with it.
const AT_MOST: usize = 100;

/// Why a plan cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    /// Its base is not there.
    #[error("its base {0} is missing")]
    NoBase(PlanId),
    /// The base cannot be unpacked.
    #[error("its base {0} is damaged: {1}")]
    Base(PlanId, String),
    /// The difference cannot be unpacked, or not with this base.
    #[error("its difference against the base {0} is damaged: {1}")]
    Difference(PlanId, String),
    /// It was unpacked, and is no snapshot with a plan.
    #[error("its document is damaged: {0}")]
    Document(String),
}

/// A plan as it is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Packed {
    /// What the difference is against: named after the first plan that hangs on it.
    pub base: PlanId,
    /// The base, where it is a new one.
    pub new_base: Option<Arc<[u8]>>,
    /// What differs.
    pub difference: Vec<u8>,
}

/// Packs the plans of one tree, one after the other.
#[derive(Debug, Clone, Default)]
pub(super) struct Packer {
    base: Option<Base>,
}

/// The base that the next plan may hang on.
#[derive(Debug, Clone)]
struct Base {
    id: PlanId,
    /// Packed, so that it takes a tenth of the memory.
    packed: Arc<[u8]>,
    /// Bytes of the base and of all that hangs on it.
    bytes: usize,
    /// Plans that hang on it.
    plans: usize,
}

impl Packer {
    /// Packs a plan. The base is a new one where the plans since have drifted away from it: when this one alone takes more than
    /// all of them did on average, with the base. The first plan has a new one in any case, so nothing needs to be read before it.
    pub(super) fn pack(&mut self, id: PlanId, snapshot: &Snapshot, plan: &Plan) -> Result<Packed, StoreError> {
        let failed = |what: String| StoreError::Failed(format!("plan {id} cannot be packed: {what}"));
        let document = document(snapshot, plan).map_err(|error| failed(error.to_string()))?;
        if let Some(base) = self.base.as_mut().filter(|base| base.plans < AT_MOST) {
            let against = unpack(&base.packed, &[]).map_err(failed)?;
            let difference = pack(&document, &against).map_err(failed)?;
            if difference.len() <= base.bytes / base.plans.max(1) {
                base.bytes += difference.len();
                base.plans += 1;
                return Ok(Packed { base: base.id, new_base: None, difference });
            }
        }
        let packed: Arc<[u8]> = pack(&document, &[]).map_err(failed)?.into();
        let difference = pack(&document, &document).map_err(failed)?;
        self.base = Some(Base { id, bytes: packed.len() + difference.len(), packed: Arc::clone(&packed), plans: 1 });
        Ok(Packed { base: id, new_base: Some(packed), difference })
    }

    /// Begins with a new base: it is not certain that the last one was stored.
    pub(super) fn forget(&mut self) {
        self.base = None;
    }
}

fn document(snapshot: &Snapshot, plan: &Plan) -> serde_json::Result<Vec<u8>> {
    let mut document = serde_json::to_vec(snapshot)?;
    document.push(b'\n');
    serde_json::to_writer(&mut document, plan)?;
    Ok(document)
}

/// The document of a base.
pub(super) fn read_base(id: PlanId, packed: &[u8]) -> Result<Vec<u8>, Fault> {
    unpack(packed, &[]).map_err(|what| Fault::Base(id, what))
}

/// The snapshot and the plan of a difference against the document of a base.
pub(super) fn read(id: PlanId, base: &[u8], difference: &[u8]) -> Result<(Snapshot, Plan), Fault> {
    let document = unpack(difference, base).map_err(|what| Fault::Difference(id, what))?;
    let mut parts = document.splitn(2, |byte| *byte == b'\n');
    let (Some(snapshot), Some(plan)) = (parts.next(), parts.next()) else {
        return Err(Fault::Document("it has one part only".to_owned()));
    };
    let wrong = |error: serde_json::Error| Fault::Document(error.to_string());
    Ok((serde_json::from_slice(snapshot).map_err(wrong)?, serde_json::from_slice(plan).map_err(wrong)?))
}

/// A frame of these bytes, as a difference against others.
fn pack(bytes: &[u8], prefix: &[u8]) -> Result<Vec<u8>, String> {
    let text = |code| get_error_name(code).to_owned();
    // The prefix is found as far as the window reaches.
    let reach = (bytes.len() + prefix.len()).max(1 << 10).next_power_of_two().ilog2();
    let mut context = CCtx::create();
    for parameter in [
        CParameter::CompressionLevel(LEVEL),
        CParameter::WindowLog(reach.min(LARGEST_WINDOW)),
        CParameter::ChecksumFlag(true),
    ] {
        context.set_parameter(parameter).map_err(text)?;
    }
    if !prefix.is_empty() {
        context.ref_prefix(prefix).map_err(text)?;
    }
    let mut frame = Vec::with_capacity(compress_bound(bytes.len()));
    context.compress2(&mut frame, bytes).map_err(text)?;
    frame.shrink_to_fit();
    Ok(frame)
}

fn unpack(frame: &[u8], prefix: &[u8]) -> Result<Vec<u8>, String> {
    let text = |code| get_error_name(code).to_owned();
    let size = get_frame_content_size(frame).ok().flatten().ok_or("it is no frame")?;
    let size = usize::try_from(size.min(LARGEST + 1)).map_err(|error| error.to_string())?;
    if size as u64 > LARGEST {
        return Err(format!("it announces more than {LARGEST} bytes"));
    }
    let mut context = DCtx::create();
    if !prefix.is_empty() {
        context.ref_prefix(prefix).map_err(text)?;
    }
    let mut bytes = Vec::with_capacity(size);
    context.decompress(&mut bytes, frame).map_err(text)?;
    Ok(bytes)
}

#[cfg(test)]
#[path = "plan_documents_tests.rs"]
mod tests;
