//! Cases as typed data: one experiment each, read from YAML with the place of every mistake.

mod body;
mod expect;
mod load;
mod logs;
mod matcher;
mod names;
mod scalar;
mod step;
mod stock;
mod template;

pub use body::{BodyExpect, BodySpec, filled};
pub use expect::{Ended, EventExpect, EventStreamExpect, Expect, SaveFrom, StatusExpect};
pub use load::{Case, CaseSet, Row, Wait};
pub use logs::{AwaitLogs, Emit, LogScope, LogsExpect, On};
pub use matcher::{Form, Matcher, Matchers};
pub use scalar::{Fields, HumanDuration};
pub use step::{
    Accept, Act, AtOnce, AwaitDelivery, AwaitEvents, FinishRead, Gap, Instant, Method, Moment, Raw,
    ReceiverAnswer, ReceiverSpec, RequestSpec, StartRead, Step, Tally,
};
pub use stock::{Body, Content, Stock, Stocked, Wanted};
pub use template::{Template, Unbound};
