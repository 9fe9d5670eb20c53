//! A source and a decoder together: batches until the result ends.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use crate::error::{Error, Result};
use crate::result::Decoder;
use crate::source::{Source, Tick};

/// Bytes that one read may bring.
const READ: usize = 256 << 10;

pub struct Reader {
    pub decoder: Decoder,
    source: Box<dyn Source>,
}

impl Reader {
    /// Reads up to the first row.
    ///
    /// # Errors
    /// The server refuses the statement, it has no result, or a column cannot become what the schema wants.
    pub fn open(mut decoder: Decoder, mut source: Box<dyn Source>, tick: Tick) -> Result<Self> {
        while !decoder.read_schema()? {
            let count = source.read(decoder.space(READ), tick)?;
            decoder.filled(count);
        }
        if decoder.schema().is_none() {
            return Err(Error::Schema("the statement has no result".into()));
        }
        Ok(Self { decoder, source })
    }

    pub fn schema(&self) -> SchemaRef {
        self.decoder.schema().cloned().unwrap_or_else(|| SchemaRef::new(arrow_schema::Schema::empty()))
    }

    pub fn next_batch(&mut self, tick: Tick) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(batch) = self.decoder.next_batch()? {
                tick()?;
                return Ok(Some(batch));
            }
            if self.decoder.is_finished() {
                return Ok(None);
            }
            let count = self.source.read(self.decoder.space(READ), tick)?;
            self.decoder.filled(count);
        }
    }
}
