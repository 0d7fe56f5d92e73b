// What a webhook endpoint can ask for. A test holds this list to the server's.

export const EVERY_TYPE = "*";
export const EVENT_TYPES = [
  "agent.availability_changed",
  "agent.connected",
  "agent.coverage_lost",
  "agent.disconnected",
  "assignment.accepted",
  "assignment.declined",
  "assignment.offered",
  "assignment.rescinded",
  "assignment.timed_out",
  "conversation.ended",
  "conversation.erased",
  "conversation.fell_back",
  "conversation.idle_warning",
  "conversation.queued",
  "conversation.rated",
  "conversation.transfer_returned",
  "conversation.transferred",
  "conversation.withdrawn",
  "message.posted",
  "messages.read",
] as const;
