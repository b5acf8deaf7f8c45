//! `GET /v1/events`: the events of all streams, as a page or as they come.

mod operations;
mod page;
mod subscribe;
mod wanted;

pub(super) use operations::operations;
pub(super) use wanted::LAST_EVENT_ID;

use super::envelope::CloudEvent;
