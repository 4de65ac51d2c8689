import { describeFamily } from './cases/families';

describeFamily('what agents say');
describeFamily('what nobody said');
