import { describeEndingRaces } from './cases/ending-races';

describeEndingRaces('3.16');
