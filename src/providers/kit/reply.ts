export type {
  Account,
  AccountDefaults,
  CallAnswer,
  Immediate,
  Lookup,
  OutgoingCall,
  Post,
  ReplyChannel,
  Sent,
} from '../../types.ts';
