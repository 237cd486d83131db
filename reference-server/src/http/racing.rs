//! Writers that race: what becomes of appends and creations where the server looks first and acts later.
//! Only servers with the faults of that kind come here.

use std::time::Duration;

use tokio::time::sleep;

use super::App;
use crate::{
    core::{
        append::{Append, Appended, Outcome},
        create::{Created, Creation},
        error::Refusal,
        path::StreamPath,
    },
    sabotage::{Switch, Switches},
};

/// Long enough for another request to come in between.
const PAUSE: Duration = Duration::from_millis(60);

pub(super) async fn append(
    app: &App,
    path: &StreamPath<'_>,
    mut request: Append<'_>,
    switches: Switches,
) -> Result<Appended, Refusal> {
    let path = path.as_str();
    let tail_before = app.store.tail(path, app.now());
    if switches.on(Switch::AppendsRace) {
        request.early_look = app.store.look_early(path, request.producer.as_ref(), app.now());
        sleep(PAUSE).await;
    }
    if switches.on(Switch::AppendsOverwriteEachOther) {
        sleep(PAUSE).await;
        let tail = app.store.tail(path, app.now());
        if let (Some(before), Some(tail)) = (tail_before, tail)
            && tail != before
        {
            let outcome = Outcome::Stored;
            return Ok(Appended { outcome, previous_tail: before, tail, closed: false, producer: None });
        }
    }
    if switches.on(Switch::ClosedBeforeData) && request.close && !request.body.is_empty() {
        request.early_look = app.store.look_early(path, request.producer.as_ref(), app.now());
        app.store.append(path, Append { close: true, ..Append::default() }, app.now())?;
        sleep(PAUSE).await;
    }
    let mut appended = app.store.append(path, request, app.now())?;
    if switches.on(Switch::AppendsNameGroupTail) {
        sleep(PAUSE).await;
        appended.tail = app.store.tail(path, app.now()).unwrap_or(appended.tail);
    }
    if switches.on(Switch::AppendNamesOldTail) {
        appended.tail = appended.previous_tail;
    }
    Ok(appended)
}

pub(super) async fn create(
    app: &App,
    path: &StreamPath<'_>,
    request: Creation<'_>,
    switches: Switches,
) -> Result<Created, Refusal> {
    let path = path.as_str();
    let races = switches.on(Switch::CreationsRace) || switches.on(Switch::CreationBodiesRace);
    let seems_new = app.store.tail(path, app.now()).is_none();
    if races {
        sleep(PAUSE).await;
    }
    let mut created = app.store.create(path, &request, app.now())?;
    if switches.on(Switch::CreationsRace) {
        created.is_new = seems_new;
    }
    if switches.on(Switch::CreationBodiesRace) && seems_new && !created.is_new && !request.body.is_empty() {
        let content_type = Some(created.content_type.as_str());
        let again = Append { content_type, body: request.body, ..Append::default() };
        created.tail = app.store.append(path, again, app.now())?.tail;
    }
    Ok(created)
}
