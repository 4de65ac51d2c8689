import { describeFamily } from './cases/families';

describeFamily('what is done with a conversation');
