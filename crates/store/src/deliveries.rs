//! Deliveries: messages on their way to other people's servers.
//!
//! Messages of one lane are delivered one after the other; lanes do not wait for each other. A server claims a lane
//! for a while, sends its first messages, and takes each out when it has been taken in at the other side: if the
//! server dies in between, the claim ends and the message is sent again. What is not taken in within a destination's
//! patience becomes a dead letter, which can be read and sent again.

use model::Timestamp;

use crate::changes::Change;
use crate::engine::{Batch, Query, Row, Statement, params};
use crate::error::StoreError;
use crate::page::Cursor;
use crate::{Page, Store};

/// The kind under which new messages wake whoever delivers them.
pub(crate) const WAKE: &str = "deliveries";

/// A message to be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery {
    /// Given to the receiver, so that it can tell a repetition.
    pub id: String,
    /// Where to; only the server understands it.
    pub destination: String,
    /// What it is kept in order with.
    pub lane: String,
    /// Its place in the lane.
    pub place: i64,
    /// JSON that only the server understands.
    pub body: String,
    pub created: Timestamp,
}

/// A lane that this server may deliver now, with its first messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedLane {
    pub lane: String,
    pub destination: String,
    /// Who claims: a name of the server's own.
    pub claimed_by: String,
    /// Failed attempts at the first message.
    pub attempts: u32,
    pub messages: Vec<Delivery>,
    added: i64,
}

/// A message under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub id: String,
    pub place: i64,
    pub body: String,
    pub created: Timestamp,
}

/// A message that could not be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its own: one message may have died on its way to several destinations.
    pub id: String,
    /// What its receiver would have got.
    pub message_id: String,
    pub destination: String,
    pub lane: String,
    pub body: String,
    pub created: Timestamp,
    /// When it was given up.
    pub died: Timestamp,
    pub attempts: u32,
    /// What went wrong last.
    pub error: String,
}

const DEAD: &str = "id, message_id, destination, lane, body, created, died, attempts, error";

impl Store {
    /// The kind of the documents of [`Change::Documents`] that tells of new messages.
    pub const DELIVERIES: &'static str = WAKE;

    /// Puts messages on their way.
    ///
    /// # Errors
    /// The database failed; nothing was written.
    pub async fn deliver(&self, messages: &[NewDelivery]) -> Result<(), StoreError> {
        let statements = messages.iter().flat_map(insert).collect();
        let batch = Batch::of(statements).waking(vec![Change::Documents(WAKE.to_owned())]);
        self.write(batch).await?.done().map(drop)
    }

    /// Claims up to `lanes` lanes that are due, until `until`, with up to `messages` messages of each.
    ///
    /// # Errors
    /// The database failed.
    pub async fn claim_lanes(
        &self,
        server: &str,
        now: Timestamp,
        until: Timestamp,
        lanes: u32,
        messages: u32,
    ) -> Result<Vec<ClaimedLane>, StoreError> {
        // Of two servers, the second finds another `due` in the row when the first has committed.
        let claim = Statement::new(
            "UPDATE delivery_lanes SET due = $2, claimed_by = $3 WHERE lane IN \
             (SELECT lane FROM delivery_lanes WHERE due <= $1 ORDER BY due, lane LIMIT $4) \
             AND due <= $1 RETURNING lane, destination, attempts, added",
            params![now, until, server, i64::from(lanes)],
        );
        let mut outcomes = self.write(Batch::of(vec![claim])).await?.done()?;
        let rows = outcomes.pop().map(|outcome| outcome.rows).unwrap_or_default();
        let mut claimed = Vec::new();
        for mut row in rows {
            claimed.push(ClaimedLane {
                lane: row.text()?,
                destination: row.text()?,
                attempts: row.unsigned()?,
                added: row.int()?,
                claimed_by: server.to_owned(),
                messages: Vec::new(),
            });
        }
        let sql = "SELECT id, place, body, created FROM deliveries WHERE lane = $1 \
                   ORDER BY lane, place, id LIMIT $2";
        let queries = claimed.iter().map(|lane| Query::new(sql, params![&lane.lane, messages]));
        let answers = self.read(queries.collect()).await?;
        for (lane, rows) in claimed.iter_mut().zip(answers) {
            lane.messages = rows.into_iter().map(read).collect::<Result<_, _>>()?;
        }
        Ok(claimed)
    }

    /// When the next lane is due, if there is one.
    ///
    /// # Errors
    /// The database failed.
    pub async fn next_delivery(&self) -> Result<Option<Timestamp>, StoreError> {
        let sql = "SELECT due FROM delivery_lanes WHERE due >= 0 ORDER BY due, lane LIMIT 1";
        let found = self.query_one(sql, Vec::new()).await?;
        found.map(|mut row| row.time()).transpose()
    }

    /// The message was taken in; the claim goes on until `until`. False: the claim has passed to another server.
    ///
    /// # Errors
    /// The database failed; the message will be sent again.
    pub async fn delivered(
        &self,
        lane: &ClaimedLane,
        message: &Delivery,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let statements = vec![
            Statement::new(
                "UPDATE delivery_lanes SET attempts = 0, failing_since = NULL, last_error = NULL, \
                 due = $3 WHERE lane = $1 AND claimed_by = $2",
                params![&lane.lane, &lane.claimed_by, until],
            )
            .expecting(1),
            remove(lane, message),
        ];
        Ok(self.write(Batch::of(statements)).await?.is_done())
    }

    /// The message could not be delivered: nobody tries the lane before `due`.
    ///
    /// # Errors
    /// The database failed; the lane is tried again when the claim has ended.
    pub async fn postpone(
        &self,
        lane: &ClaimedLane,
        now: Timestamp,
        due: Timestamp,
        error: &str,
    ) -> Result<(), StoreError> {
        let statement = Statement::new(
            "UPDATE delivery_lanes SET attempts = attempts + 1, due = $3, claimed_by = '', \
             failing_since = COALESCE(failing_since, $4), last_error = $5 \
             WHERE lane = $1 AND claimed_by = $2",
            params![&lane.lane, &lane.claimed_by, due, now, error],
        );
        self.write(Batch::of(vec![statement])).await?.done().map(drop)
    }

    /// The message is given up after so many attempts: it becomes the dead letter `id`, and the lane goes on with the
    /// next one.
    ///
    /// # Errors
    /// The database failed; the message will be sent again.
    pub async fn bury(
        &self,
        lane: &ClaimedLane,
        message: &Delivery,
        id: &str,
        attempts: u32,
        now: Timestamp,
        error: &str,
    ) -> Result<(), StoreError> {
        let statements = vec![
            Statement::new(
                "UPDATE delivery_lanes SET attempts = 0, failing_since = NULL, last_error = NULL, \
                 due = $3, claimed_by = '' WHERE lane = $1 AND claimed_by = $2",
                params![&lane.lane, &lane.claimed_by, now],
            )
            .expecting(1),
            Statement::new(
                format!(
                    "INSERT INTO dead_letters ({DEAD}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
                ),
                params![
                    id,
                    &message.id,
                    &lane.destination,
                    &lane.lane,
                    &message.body,
                    message.created,
                    now,
                    attempts,
                    error
                ],
            ),
            remove(lane, message),
        ];
        // An unmet claim: another server has the lane by now, and will see for itself.
        self.write(Batch::of(statements)).await.map(drop)
    }

    /// Ends the claim. An empty lane goes, unless a message came meanwhile; a lane with more may be claimed from `due`.
    ///
    /// # Errors
    /// The database failed; the claim ends by itself.
    pub async fn release(&self, lane: &ClaimedLane, due: Timestamp) -> Result<(), StoreError> {
        let statements = vec![
            Statement::new(
                "DELETE FROM delivery_lanes WHERE lane = $1 AND claimed_by = $2 AND added = $3 \
                 AND NOT EXISTS (SELECT 1 FROM deliveries WHERE lane = $1)",
                params![&lane.lane, &lane.claimed_by, lane.added],
            ),
            Statement::new(
                "UPDATE delivery_lanes SET due = $3, claimed_by = '' \
                 WHERE lane = $1 AND claimed_by = $2",
                params![&lane.lane, &lane.claimed_by, due],
            ),
        ];
        self.write(Batch::of(statements)).await?.done().map(drop)
    }

    /// Forgets every message to a destination, dead letters too: it does not exist any more.
    ///
    /// # Errors
    /// The database failed.
    pub async fn forget_deliveries(&self, destination: &str) -> Result<(), StoreError> {
        let statements = vec![
            Statement::new(
                "DELETE FROM deliveries WHERE lane IN \
                 (SELECT lane FROM delivery_lanes WHERE destination = $1)",
                params![destination],
            ),
            Statement::new(
                "DELETE FROM delivery_lanes WHERE destination = $1",
                params![destination],
            ),
            Statement::new("DELETE FROM dead_letters WHERE destination = $1", params![destination]),
        ];
        self.write(Batch::of(statements)).await?.done().map(drop)
    }

    /// Dead letters, the oldest first: all of them, or those of one destination.
    ///
    /// # Errors
    /// The database failed, or `after` is no place in such a listing.
    pub async fn dead_letters(
        &self,
        destination: Option<&str>,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page<DeadLetter>, StoreError> {
        let after = after.map(Cursor::read).transpose()?;
        let (number, text) = after.map_or((-1, String::new()), |at| (at.number, at.text));
        let more = i64::from(limit) + 1;
        let query = match destination {
            Some(destination) => Query::new(
                format!(
                    "SELECT {DEAD} FROM dead_letters WHERE destination = $1 \
                     AND (died, id) > ($2, $3) ORDER BY died, id LIMIT $4"
                ),
                params![destination, number, text, more],
            ),
            None => Query::new(
                format!(
                    "SELECT {DEAD} FROM dead_letters WHERE (died, id) > ($1, $2) \
                     ORDER BY died, id LIMIT $3"
                ),
                params![number, text, more],
            ),
        };
        let rows = self.read(vec![query]).await?.into_iter().flatten();
        let found = rows.map(read_dead).collect::<Result<Vec<_>, _>>()?;
        Ok(Page::of(found, limit, |dead| Cursor::write(dead.died.as_millis(), &dead.id)))
    }

    /// Sends a dead letter again, in a lane of its own: it has lost its place among the others. False: there is none
    /// of that id.
    ///
    /// # Errors
    /// The database failed.
    pub async fn redrive(&self, id: &str) -> Result<bool, StoreError> {
        let sql = format!("SELECT {DEAD} FROM dead_letters WHERE id = $1");
        let Some(row) = self.query_one(sql, params![id]).await? else { return Ok(false) };
        let dead = read_dead(row)?;
        let again = NewDelivery {
            lane: format!("{} again {}", dead.destination, dead.id),
            id: dead.message_id,
            destination: dead.destination,
            place: 0,
            body: dead.body,
            created: dead.created,
        };
        let mut statements = vec![forget_dead(id).expecting(1)];
        statements.extend(insert(&again));
        let batch = Batch::of(statements).waking(vec![Change::Documents(WAKE.to_owned())]);
        Ok(self.write(batch).await?.is_done())
    }

    /// Throws a dead letter away. False: there is none of that id.
    ///
    /// # Errors
    /// The database failed.
    pub async fn discard_dead_letter(&self, id: &str) -> Result<bool, StoreError> {
        Ok(self.write(Batch::of(vec![forget_dead(id).expecting(1)])).await?.is_done())
    }

    /// Forgets messages that were given up before `died`; how many.
    ///
    /// # Errors
    /// The database failed.
    pub async fn forget_dead_letters(&self, died: Timestamp) -> Result<u64, StoreError> {
        let forget = Statement::new("DELETE FROM dead_letters WHERE died < $1", params![died]);
        let mut outcomes = self.write(Batch::of(vec![forget])).await?.done()?;
        Ok(outcomes.pop().map_or(0, |outcome| outcome.count))
    }
}

fn forget_dead(id: &str) -> Statement {
    Statement::new("DELETE FROM dead_letters WHERE id = $1", params![id])
}

fn remove(lane: &ClaimedLane, message: &Delivery) -> Statement {
    Statement::new(
        "DELETE FROM deliveries WHERE lane = $1 AND place = $2 AND id = $3",
        params![&lane.lane, message.place, &message.id],
    )
}

/// The statements that put a message on its way; a message that is there already is not put there again.
pub(crate) fn insert(message: &NewDelivery) -> [Statement; 2] {
    [
        Statement::new(
            "INSERT INTO delivery_lanes (lane, destination, due, claimed_by, attempts, added) \
             VALUES ($1, $2, 0, '', 0, 1) \
             ON CONFLICT (lane) DO UPDATE SET added = delivery_lanes.added + 1",
            params![&message.lane, &message.destination],
        ),
        Statement::new(
            "INSERT INTO deliveries (lane, place, id, body, created) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT DO NOTHING",
            params![&message.lane, message.place, &message.id, &message.body, message.created],
        ),
    ]
}

fn read(mut row: Row) -> Result<Delivery, StoreError> {
    Ok(Delivery { id: row.text()?, place: row.int()?, body: row.text()?, created: row.time()? })
}

fn read_dead(mut row: Row) -> Result<DeadLetter, StoreError> {
    Ok(DeadLetter {
        id: row.text()?,
        message_id: row.text()?,
        destination: row.text()?,
        lane: row.text()?,
        body: row.text()?,
        created: row.time()?,
        died: row.time()?,
        attempts: row.unsigned()?,
        error: row.text()?,
    })
}
