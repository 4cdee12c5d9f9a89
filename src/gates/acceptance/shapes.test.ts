import { pinShapes } from '../../../test/helpers/shapes.ts'
import * as acceptance from './index.ts'

pinShapes('acceptance', acceptance)
