//! What an acceptance test is.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use crate::input;
use crate::sites::stations::Station;
use crate::store::Json;
use crate::store::schema::acceptance_tests;
use kernel::*;

crate::spelled! {
    /// How a test went.
    pub enum TestStatus {
        /// It goes on.
        Running = "running",
        /// No step failed.
        Passed = "passed",
        /// A step failed.
        Failed = "failed",
        /// The server was stopped meanwhile.
        Aborted = "aborted",
    }
}

crate::spelled! {
    /// By what it was proven that the station obeys.
    pub enum Proof {
        /// Its meter followed the limit.
        Meter = "meter",
        /// It says that the limit applies (GetCompositeSchedule).
        Schedule = "schedule",
    }
}

crate::spelled! {
    /// A step of a test.
    pub enum StepName {
        /// The station is connected.
        Socket = "socket",
        /// It said what it is.
        Boot = "boot",
        /// It said how the connector is doing.
        Status = "status",
        /// Its meter showed a value.
        Meter = "meter",
        /// It took a limit.
        Limit = "limit",
        /// It obeys the limit.
        Obeys = "obeys",
        /// The limit was taken back.
        Removed = "removed",
    }
}

crate::spelled! {
    /// How a step went.
    pub enum StepOutcome {
        /// As it should.
        Passed = "passed",
        /// Not so.
        Failed = "failed",
        /// It could not be tried, and nothing speaks against the station.
        Skipped = "skipped",
    }
}
crate::text_column!(spelled TestStatus, Proof);

/// How a step of a test went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub(super) struct TestStep {
    /// socket, boot, status, meter, limit, obeys or removed.
    #[schema(inline)]
    pub name: StepName,
    /// passed, failed or skipped.
    #[schema(inline)]
    pub outcome: StepOutcome,
    /// What was seen, in a sentence.
    #[schema(example = "The meter showed 3.5 kW 12 s after the limit of 3.7 kW; before it was 7.2 kW")]
    pub message: String,
    /// When that was.
    pub at: Timestamp,
}

/// A stored test.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = acceptance_tests, treat_none_as_null = true)]
pub(super) struct AcceptanceTest {
    pub id: AcceptanceTestId,
    pub organization_id: OrganizationId,
    pub chargestation_id: StationId,
    pub connector_id: Option<ConnectorId>,
    pub status: TestStatus,
    pub proof: Option<Proof>,
    pub steps: Json<Vec<TestStep>>,
    /// The charging profile that may still be on the station.
    pub left_profile: Option<i32>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}

impl AcceptanceTest {
    /// One that begins now.
    pub(super) fn new(station: &Station, connector: ConnectorId, moment: &Moment) -> Self {
        Self {
            id: moment.id(),
            organization_id: station.organization_id,
            chargestation_id: station.id,
            connector_id: Some(connector),
            status: TestStatus::Running,
            proof: None,
            steps: Json::default(),
            left_profile: None,
            created_at: moment.now,
            updated_at: moment.now,
            ended_at: None,
        }
    }

    /// Notes how a step went.
    pub(super) fn note(&mut self, name: StepName, outcome: StepOutcome, message: impl Into<String>, at: Timestamp) {
        self.steps.0.push(TestStep { name, outcome, message: message.into(), at });
    }

    /// Ends it by its steps.
    pub(super) fn end(&mut self, now: Timestamp) {
        let failed = self.steps.0.iter().any(|step| step.outcome == StepOutcome::Failed);
        let obeys = self.steps.0.iter().any(|step| step.name == StepName::Obeys && step.outcome == StepOutcome::Passed);
        self.status = if failed || !obeys { TestStatus::Failed } else { TestStatus::Passed };
        self.ended_at = Some(now);
    }
}

/// A test as clients see it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub(super) struct AcceptanceTestView {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: AcceptanceTestId,
    /// Which station is tested.
    pub chargestation: StationId,
    /// At which connector; null where that was deleted since.
    pub connector: Option<ConnectorId>,
    /// running, passed, failed, or aborted: the server was stopped meanwhile.
    pub status: TestStatus,
    /// By what it was proven that the station obeys: meter, or schedule where no car charged; null where it was not.
    pub proof: Option<Proof>,
    /// Its steps so far, in their order.
    pub steps: Vec<TestStep>,
    /// Whether a limit of the test may still be on the station; it is removed when the station connects.
    pub limit_left: bool,
    /// When it began.
    #[serde(rename = "createdAt")]
    pub created_at: Timestamp,
    /// When it last got further.
    #[serde(rename = "updatedAt")]
    pub updated_at: Timestamp,
    /// When it ended.
    #[serde(rename = "endedAt")]
    pub ended_at: Option<Timestamp>,
}

impl From<AcceptanceTest> for AcceptanceTestView {
    fn from(test: AcceptanceTest) -> Self {
        Self {
            id: test.id,
            chargestation: test.chargestation_id,
            connector: test.connector_id,
            status: test.status,
            proof: test.proof,
            steps: test.steps.0,
            limit_left: test.left_profile.is_some(),
            created_at: test.created_at,
            updated_at: test.updated_at,
            ended_at: test.ended_at,
        }
    }
}

input! {
    /// What is tested.
    #[derive(Default)]
    #[schema(example = json!({}))]
    pub(crate) struct NewAcceptanceTest {
        /// At which connector; when absent where a car charges, else the first.
        pub connector: Option<ConnectorId>,
    }
}
