/*
 * talk.h - wire conversations: a .talk file says what an adaptor must send, what a scripted peer on
 * loopback answers, and what must come of it. A test clock takes the place of waiting.
 *
 *   # comment
 *   == connection            a document, over as many lines as it takes, to the next line that begins
 *   {"type": "rest", ...}    with ==, >, < or =; $BASE stands for the peer's http://127.0.0.1:port
 *   == export | import | ping | proxy        what is played, and its document
 *   == iclient {...}         the one that the connection names; with it the connection is a stored one
 *   == stored {...}          how the connection is stored, where that is not as the session gets it
 *   == variables | records | cursor          of the call; an import's records
 *   == timeout 200           ms, in real time: for a peer that hangs
 *   == now 1767225600000     the test clock's wall time at the start, ms
 *   == relativeURI /x        of the call, in place of the document's
 *   == mark                  an export of type once: mark_done() for all records at the end
 *   == cancel 2              the job is canceled when request 2 (from 1) has come
 *   == any order             requests of parallel records are matched in whatever order they come
 *   == keep alive            answers leave the connection open (else each ends it)
 *   == no resume             see below
 *
 *   > GET /customers?page=1  what must be sent; its header fields: a value, `*` for any, or
 *   > Accept: *              `no Cookie` for absent ones. `after 1000` ms (+-20 %) or `after =2000`
 *   > no Cookie              (exactly) on the test clock since the answer before. Behind an empty
 *   > after 1000             line the body; JSON is compared as JSON, and `*` means any. Without
 *   >                        the empty line there must be none.
 *   > {"a": 1}
 *   < 200                    what the peer answers: status, fields, empty line, body. \xNN is a
 *   < Retry-After: 2         byte. Or a fault: `hang`, `reset`, `close`, `half 200` (the body's
 *   <                        length is said, half of it comes), `raw` (what follows, as it stands).
 *   < {"items": []}          Content-Type: application/json is added when there is a body.
 *
 *   = records [...]          of an export: all of them
 *   = chunks 2               how many answers had records or were the last
 *   = cursor 1 {...}         of chunk 1 (from 1)
 *   = error CODE WORDS       how it ended; WORDS stand in message or hint
 *   = retry after 3600       of that error
 *   = zero WORDS             zero_reason; `= zero` alone: there is none
 *   = marked 0 CODE WORDS    record 0's error of mark_done
 *   = delivery 0 {...}       of an import: members of struct delivery; `code`, `message`, `sent`,
 *                            `response`; texts of the latter three need only be contained
 *   = result {...}           of a ping or proxy
 *   = stored {...}           members of the stored connection's `rest` at the end; null: absent
 *   = hides WORD             no trace, error, evidence, request or cursor holds it
 *   = traces export 3        that many traces of that purpose
 *
 * An export that ends well is also resumed: for each chunk a new source is opened at its cursor,
 * and must send the requests from there on and give the records from there on.
 */
#ifndef TEST_UNIT_ADAPTOR_TALK_H
#define TEST_UNIT_ADAPTOR_TALK_H

/* Plays the file; fails the running test with file, line, wanted and found. */
void talk_play(const char *path);

#endif
