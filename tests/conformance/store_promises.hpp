// The promises of a Store: a test function and the sentence that names its test case.
#pragma once

#define TETHER_STORE_PROMISES(TEST)                                                              \
  TEST(accepted, "an accepted command is there with all that was said")                          \
  TEST(acceptSurvives, "an accepted command survives a reopen")                                  \
  TEST(acceptTwice, "a command accepted twice is one command with one receipt")                  \
  TEST(acceptConflict, "an id used with another payload is a conflict and changes nothing")      \
  TEST(acceptSources, "one id from two sources is two commands")                                 \
  TEST(deadSources, "commands of one id from two sources die apart")                             \
  TEST(idempotencyKey, "an idempotency key gives the first receipt again")                       \
  TEST(idempotencyConflict, "an idempotency key used with another payload is a conflict")        \
  TEST(acceptTogether, "commands accepted in one closure are accepted together or not at all")   \
  TEST(acceptEnded, "an ended command that is accepted again does not run again")                \
  TEST(acceptClaimed, "a command accepted for an owner is claimed in the same commit")           \
  TEST(acceptClaimedBehind, "a command accepted for an owner waits behind its key")              \
  TEST(acceptClaimedLater, "a delayed command accepted for an owner is not claimed")             \
  TEST(acceptStillborn, "a command can be accepted dead")                                        \
  TEST(forwarded, "a forwarded command waits for the relay and is not claimed")                  \
  TEST(forwardedComesHome, "a forwarded command that comes home runs once")                      \
  TEST(forwardedHomeFirst, "a command that comes home before its handover is noted runs once")   \
  TEST(claimOrder, "ready commands are claimed oldest first whatever their type")                \
  TEST(claimLimits, "a claim keeps the limit of each lane and of all together")                  \
  TEST(claimBytes, "a claim ends when its payloads are enough, and has at least one")            \
  TEST(claimManyLanes, "of many types the oldest are claimed first, in pages too")               \
  TEST(claimLanes, "commands of other lanes and queues are left alone")                          \
  TEST(claimCounts, "a claim counts the attempt and shows the command running")                  \
  TEST(claimOnce, "a claimed command is not claimed by another owner")                           \
  TEST(claimHolds, "time alone does not end the claim of a living owner")                        \
  TEST(claimDelayed, "a delayed command is claimed when it is due")                              \
  TEST(claimNextDue, "a claim tells the next due time of its lanes")                             \
  TEST(unclaimed, "a claim given back unstarted leaves no trace")                                \
  TEST(unclaimLost, "giving back a claim that was lost does nothing")                            \
  TEST(cancelWaiting, "an open command that nobody runs can be cancelled")                       \
  TEST(cancelTooLate, "an ended or unknown command cannot be cancelled")                         \
  TEST(cancelRunning, "a running command whose cancel was asked for is not tried again")         \
  TEST(cancelDiedWith, "a cancel that was asked for survives the process that ran it")           \
  TEST(cancelForwarded, "a command that was handed over cannot be cancelled")                    \
  TEST(keyOneAtATime, "commands of one key run one at a time in the order of acceptance")        \
  TEST(keyAnyEnd, "however a command ends the next of its key follows")                          \
  TEST(keyRetry, "a retrying command holds back its key and nothing else")                       \
  TEST(keyTypes, "a key orders commands of different types")                                     \
  TEST(keyUnclaim, "a claim given back keeps its place in its key")                              \
  TEST(keyDelayed, "a delayed command joins the order of its key when it is due")                \
  TEST(keyDelayedTypes, "a due command comes before a later one of its key of another type")     \
  TEST(keyManyDue, "what is accepted while much of its key is due comes after all of it")        \
  TEST(keyManyDueTypes, "a key of which much is due is in order over its types")                 \
  TEST(keyCancel, "a cancelled command does not hold back its key")                              \
  TEST(keyReplay, "a replayed command goes to the end of its key")                               \
  TEST(keyHolder, "who comes first of a key is told until it has ended")                         \
  TEST(ownersListed, "owners are listed with what they run")                                     \
  TEST(ownerRemoved, "what a removed owner held is claimable at once")                           \
  TEST(ownerUnknown, "an owner that was removed claims nothing")                                 \
  TEST(ownerReopened, "the owners of a store that was closed are dead to the same process")      \
  TEST(ownerAlive, "what a living owner holds is not taken over")                                \
  TEST(ownerDiedWithMany, "what a dead owner held together comes back suspect and uncounted")    \
  TEST(ownerDiedWithOne, "what a dead owner ran alone is counted and waits for its verdict")     \
  TEST(ownerDiedSettle, "a claim that was taken over cannot be settled by the one before")       \
  TEST(ownerDiedQueue, "a message held by a dead owner is delivered again")                      \
  TEST(suspectAlone, "a suspect is claimed alone and only by an idle owner")                     \
  TEST(suspectCleared, "a suspect that ended its attempt is no suspect any more")                \
  TEST(crashJudged, "a crash is judged once and its retry has its delay and runs alone")         \
  TEST(crashJudgedDead, "a crash that is judged dead blocks its key and counts for the breaker") \
  TEST(crashNotJudged, "a crash that nobody has judged starts nothing and can be cancelled")     \
  TEST(aheadRetry, "a retry counted by a clock that was ahead is counted from now")              \
  TEST(aheadDelay, "a delay counted by a clock that was ahead is, and a named time stays")       \
  TEST(aheadForward, "what a relay put off by a clock that was ahead leaves in time")            \
  TEST(aheadLease, "a lease given by a clock that was ahead ends in time")                       \
  TEST(aheadProbe, "a probe set by a clock that was ahead is due")                               \
  TEST(settleSucceeded, "a command that succeeded has ended and is not claimed again")           \
  TEST(settleRejected, "a rejected command keeps its answer and leaves no dead letter")          \
  TEST(settleDead, "a dead command leaves a dead letter that tells all")                         \
  TEST(settleRetrying, "a retrying command is claimed again when it is due")                     \
  TEST(settleUncounted, "an uncounted attempt is recorded and its number used again")            \
  TEST(settleTwice, "an attempt is settled once")                                                \
  TEST(settleAfterRemoval, "an attempt whose owner was removed cannot be settled")               \
  TEST(settleWithEffect, "a settlement that fails takes the effect of its closure with it")      \
  TEST(attempts, "every attempt leaves one record in order")                                     \
  TEST(replayed, "a replay opens the command again with the next generation")                    \
  TEST(replayTwice, "a letter is replayed once")                                                 \
  TEST(replayDies, "a replay that dies leaves a letter of its own")                              \
  TEST(replayRefused, "a letter that is unknown or no command is not replayed")                  \
  TEST(buried, "a buried message is kept byte for byte")                                         \
  TEST(buriedDelivery, "a buried delivery names its event")                                      \
  TEST(refusedCounted, "the events of a flow that were refused are counted, however many")       \
  TEST(replayDelivery, "a replayed delivery is on its way again with the same bytes")            \
  TEST(resent, "a resent event has the same id and bytes")                                       \
  TEST(refused, "a command that its destination refuses is dead and can be replayed")            \
  TEST(outcomeTold, "who asked is told how a command ended, in the commit that ends it")         \
  TEST(outcomeOfReplay, "a replay that ends is told with its generation")                        \
  TEST(outcomeToldAgain, "a command that arrives again after its end is answered again")         \
  TEST(outcomeHeard, "a command that was handed over ends as the other store says")              \
  TEST(outcomeEarly, "an outcome that is faster than the word of the relay is heard")            \
  TEST(outcomeElsewhere, "an outcome of a command that was not handed over ends nothing")        \
  TEST(sentAgain, "a command that is out too long goes out again until it is answered")          \
  TEST(resentByHand, "a command that is out can be sent again and no other")                     \
  TEST(eventResentIsNew, "what is sent again on purpose is no duplicate to a far side")          \
  TEST(givenUp, "a command that is out can be given up and a late word of it is kept")           \
  TEST(outForgotten, "commands that have been out for long can be forgotten")                    \
  TEST(letterEdited, "an edited letter keeps its first body and refuses a stale edit")           \
  TEST(letterArchived, "an archived letter is set aside until it is restored")                   \
  TEST(letterPurged, "a purged letter is gone and its command stays dead")                       \
  TEST(lettersPruned, "only letters that were replayed or archived are pruned")                  \
  TEST(lettersPaged, "letters are read page by page, in the order of the store")                 \
  TEST(lettersGrouped, "letters that failed alike are one group")                                \
  TEST(audited, "what operators did is kept in order")                                           \
  TEST(planLedger, "a letter of a plan is in its ledger once")                                   \
  TEST(stuckReported, "an owner says which commands are stuck")                                  \
  TEST(pausedType, "nothing of a paused type is claimed")                                        \
  TEST(pausedQueue, "nothing of a paused queue is taken or claimed")                             \
  TEST(breakerTrips, "the breaker pauses a type after failures in a row")                        \
  TEST(breakerProbes, "a tripped breaker lets probes through until one succeeds")                \
  TEST(breakerForgets, "a success between failures keeps the breaker closed")                    \
  TEST(keyBlocked, "a dead command that blocks its key goes first when it is replayed")          \
  TEST(keyBlockLifted, "a letter that is archived or purged blocks no key")                      \
  TEST(idempotencyExpires, "an idempotency key is free again after its time")                    \
  TEST(recorded, "a recorded event is there with all that was said")                             \
  TEST(recordTwice, "an event recorded twice is there once with one message")                    \
  TEST(recordLocal, "an event for a local queue has left and is delivered as an envelope")       \
  TEST(recordRemote, "an event for a remote queue is pending until it is handed over")           \
  TEST(recordMany, "an event has one message for each destination")                              \
  TEST(recordUndone, "an event of a closure that fails is not recorded")                         \
  TEST(eventKeyOrder, "events of one key leave one at a time in the order of commits")           \
  TEST(handedOverOnce, "a message is handed over once")                                          \
  TEST(handedOverLocal, "an event has left when its remote destinations have it, no local one")  \
  TEST(takenByOwner, "a message taken by an owner is held while the owner lives")                \
  TEST(takenByLease, "a message taken for a time comes back after it")                           \
  TEST(takenBytes, "what is taken at once is bounded in bytes")                                  \
  TEST(takenRemoved, "a taken message is removed once")                                          \
  TEST(takenGivenBack, "a message given back is taken again when it is due")                     \
  TEST(takenExtended, "an extended message is held longer")                                      \
  TEST(outgoingApart, "the two sides of a queue do not mix")                                     \
  TEST(openQueueShares, "two transports of one queue share its messages")                        \
  TEST(expired, "unread messages expire and their events stay")                                  \
  TEST(expireMax, "at most so many messages expire at once")                                     \
  TEST(expireKey, "a key goes on after its head expired")                                        \
  TEST(expireAhead, "a message of a clock that was ahead does not stop others from expiring")    \
  TEST(pruneEnded, "ended commands are pruned with their events and attempts")                   \
  TEST(pruneOpen, "open commands are not pruned")                                                \
  TEST(prunePages, "a prune goes page by page, over each row once")                              \
  TEST(pruneDeadLetter, "a dead letter keeps its command")                                       \
  TEST(pruneDelivery, "a dead delivery keeps its event")                                         \
  TEST(pruneUnread, "an event that has not left is not pruned")                                  \
  TEST(forwardGivenBack, "a command that could not leave waits, and may have arrived")           \
  TEST(forwardGivenBackAtHome, "a command that came home runs whatever its relay gives back")    \
  TEST(pruneForwarded, "a command that is still on its way out can be forwarded after a prune")  \
  TEST(pruneReceived, "an event received from outside is pruned when nothing needs it")          \
  TEST(pruneForgets, "a pruned id can be used again")                                            \
  TEST(pruneAhead, "a command of a clock that was ahead does not stop others from being pruned") \
  TEST(pruneWhileRead, "an event that is sent again while a prune goes on is not pruned")        \
  TEST(pruneRecords, "what operators did is pruned, but for the history of letters that stay")   \
  TEST(pruneLedger, "the ledger of a plan is pruned as a whole")                                 \
  TEST(pruneQueues, "a queue of which nothing is left is pruned, and can be used again")         \
  TEST(migrateOnce, "migrations are applied in order and once")                                  \
  TEST(migrateChanged, "a changed migration is a conflict that names it")                        \
  TEST(migrateFails, "a failing migration undoes all of its closure")                            \
  TEST(migrateOwnTables, "a migration cannot touch the tables of the engine")                    \
  TEST(migrateRebuild, "a migration that rebuilds a table keeps what refers to its rows")        \
  TEST(migrateBreaks, "a migration that leaves a row without its parent is refused by name")     \
  TEST(flowOrder, "a flow tells its commands and events in order")                               \
  TEST(flowById, "a flow is found by any of its ids")                                            \
  TEST(flowUnknown, "an unknown id finds nothing")                                               \
  TEST(flowResolved, "a flow is resolved when nothing is open and all events have left")         \
  TEST(lookOneMoment, "a look sees one moment whatever is committed meanwhile")                  \
  TEST(lookNeverHalf, "a look never sees half a commit")                                         \
  TEST(lookQueues, "queues are listed with their counts and sides")                              \
  TEST(lookQueueOfCommands, "a queue that carries commands is told as such whatever came first") \
  TEST(lookPeek, "a peek shows what waits and takes nothing")                                    \
  TEST(lookOpenByType, "open commands are counted by type")                                      \
  TEST(lookCounts, "what was undone is not counted")                                             \
  TEST(lookInfo, "the store tells how much it keeps")                                            \
  TEST(lookUnderWay, "what can start soon is counted without what waits for a time")             \
  TEST(filterCommands, "commands are listed newest first and by each criterion")                 \
  TEST(filterTimes, "a list is cut by times and by a limit")                                     \
  TEST(filterNoTimes, "a list without times has all, also of before 1970")                       \
  TEST(filterEvents, "events are listed newest first and by each criterion")                     \
  TEST(filterLetters, "dead letters are listed newest first and by each criterion")              \
  TEST(changesOrder, "changes are told in one order with their kinds")                           \
  TEST(changesForward, "whoever reads changes while others write misses none")                   \
  TEST(changesCursor, "a cursor tells each change once")                                         \
  TEST(sqlParameters, "named parameters are bound from the members")                             \
  TEST(sqlJson, "a parameter that is a value in a json function keeps its json type")            \
  TEST(sqlMissing, "a missing parameter is named")                                               \
  TEST(sqlRows, "a query answers the rows of its last statement that has any")                   \
  TEST(sqlTwins, "two columns of one name are refused before anything runs")                     \
  TEST(sqlChanges, "run tells how many rows were changed")                                       \
  TEST(sqlErrors, "bad sql and broken constraints are told apart")                               \
  TEST(sqlGoesOn, "a closure may go on after a statement that failed")                           \
  TEST(sqlAgain, "a script that was refused can be corrected and run")                           \
  TEST(sqlSchema, "a script may change the schema of its own tables")                            \
  TEST(sqlFunctions, "a script can ask for its command and the time")                            \
  TEST(sqlTimes, "the times that a script asks for sort as text")                                \
  TEST(sqlEmit, "a script can emit events")                                                      \
  TEST(sqlReject, "a script can reject and fail")                                                \
  TEST(sqlFailRetryAfter, "a script that fails can ask for a delay")                             \
  TEST(sqlMistake, "a mistake in a script has a line")                                           \
  TEST(sqlHold, "a script that runs too long is ended and undone")                               \
  TEST(sqlOperator, "the operator can read and not write")                                       \
  TEST(refuseTransactions, "a script cannot control the transaction")                            \
  TEST(refuseFiles, "a script cannot attach files or change settings")                           \
  TEST(refuseOwnTables, "a script cannot write to the tables of the engine")                     \
  TEST(refuseDiversion, "a script cannot put its own tables before those of the engine")         \
  TEST(batchAlone, "a closure that throws undoes itself and harms no neighbour")                 \
  TEST(batchRollback, "a script that ends the transaction harms no neighbour")                   \
  TEST(batchRollbackSwallowed,                                                                   \
       "a closure that goes on after the transaction was ended keeps nothing")                   \
  TEST(batchForeignKey, "a broken deferred foreign key harms no neighbour")                      \
  TEST(batchForeignKeyMended, "a deferred foreign key may be mended before the end")             \
  TEST(batchNotIsolated, "a closure that throws before it writes needs no isolation")            \
  TEST(batchConflict, "a command that is a conflict costs its neighbours nothing")               \
  TEST(batchWroteAndThrew, "however many closures throw a batch is run again once")              \
  TEST(batchLong, "a transaction that lasts long ends, and what is left has the next one")       \
  TEST(batchLongAgain, "a batch that is run again may end earlier")                              \
  TEST(batchLongBroken, "what ends its transaction after long lets others in before the next")   \
  TEST(batchSlowKind, "what was slow the last time has a transaction of its own")                \
  TEST(batchDone, "done is told once and after the commit")                                      \
  TEST(batchOrder, "closures run in the order in which they were posted")                        \
  TEST(pendingNothing, "without a writer thread nothing runs before it is asked for")            \
  TEST(commitThrows, "a commit throws what its closure threw")                                   \
  TEST(writerRuns, "a writer thread runs what is posted")                                        \
  TEST(writerShares, "many threads commit through one writer")                                   \
  TEST(writerAlone, "no closure and no done runs beside another one of its store")               \
  TEST(writerStops, "a writer that is stopped has run everything posted")                        \
  TEST(inlineShares, "many threads commit without a writer thread")                              \
  TEST(workersShare, "many owners share the work and each command runs once")                    \
  TEST(changeCounted, "the change count moves with every commit")                                \
  TEST(changeNotByLooking, "looking for work in vain changes nothing")                           \
  TEST(changeEndsWait, "a commit ends a wait for change")                                        \
  TEST(changeInterrupted, "an interrupt ends every wait for change")                             \
  TEST(changeEndless, "a wait for change may be as long as one likes")                           \
  TEST(waitForFlow, "a wait for a flow ends when it is ready")                                   \
  TEST(waitForFlowEnds, "a wait for a flow that is not ready tells how it stands")               \
  TEST(twoShare, "two stores of one file share what they keep")                                  \
  TEST(twoWake, "a commit in one store wakes who waits in another of the same file")             \
  TEST(twoWrite, "two stores of one file write at once and lose nothing")                        \
  TEST(soundAfterAll, "a store is sound after a bit of everything")
